//! The connectors.

use super::{Connector, Field, FieldKind};

const TEST_URL: Field = Field {
    name: "testUrl",
    title: "Test URL",
    description: "Asked with GET when the integration is tested; it should answer with a status below 400 to valid credentials.",
    kind: FieldKind::Url,
    secret: false,
    required: false,
};

const ALLOWED_HOSTS: Field = Field {
    name: "allowedHosts",
    title: "Allowed hosts",
    description: "The only hosts that get the credentials (`*.example.com` for all below it); every host where it is empty.",
    kind: FieldKind::List,
    secret: false,
    required: false,
};

const USERNAME: Field = Field {
    name: "username",
    title: "User name",
    description: "The user name.",
    kind: FieldKind::Text,
    secret: false,
    required: true,
};

const PASSWORD: Field = Field {
    name: "password",
    title: "Password",
    description: "The password.",
    kind: FieldKind::Text,
    secret: true,
    required: true,
};

const CONNECTORS: &[Connector] = &[
    Connector {
        name: "http_bearer",
        title: "HTTP bearer token",
        description: "A token that is sent as `Authorization: Bearer`, for APIs with access tokens.",
        fields: &[
            Field {
                name: "token",
                title: "Token",
                description: "The token, without the word Bearer.",
                kind: FieldKind::Text,
                secret: true,
                required: true,
            },
            ALLOWED_HOSTS,
            TEST_URL,
        ],
    },
    Connector {
        name: "http_basic",
        title: "HTTP user name and password",
        description: "Basic authentication (RFC 7617).",
        fields: &[USERNAME, PASSWORD, ALLOWED_HOSTS, TEST_URL],
    },
    Connector {
        name: "http_header",
        title: "HTTP header",
        description: "A secret in a header of its own, for example `X-API-Key`.",
        fields: &[
            Field {
                name: "name",
                title: "Header",
                description: "The name of the header.",
                kind: FieldKind::Text,
                secret: false,
                required: true,
            },
            Field {
                name: "value",
                title: "Value",
                description: "The value of the header.",
                kind: FieldKind::Text,
                secret: true,
                required: true,
            },
            ALLOWED_HOSTS,
            TEST_URL,
        ],
    },
    Connector {
        name: "http_query",
        title: "HTTP query parameter",
        description: "A secret in the query of the URL, for example `?api_key=`.",
        fields: &[
            Field {
                name: "name",
                title: "Parameter",
                description: "The name of the query parameter.",
                kind: FieldKind::Text,
                secret: false,
                required: true,
            },
            Field {
                name: "value",
                title: "Value",
                description: "The value of the query parameter.",
                kind: FieldKind::Text,
                secret: true,
                required: true,
            },
            ALLOWED_HOSTS,
            TEST_URL,
        ],
    },
    Connector {
        name: "smtp",
        title: "SMTP",
        description: "A mail server that sends e-mail.",
        fields: &[
            Field {
                name: "host",
                title: "Host",
                description: "The name of the mail server.",
                kind: FieldKind::Text,
                secret: false,
                required: true,
            },
            Field {
                name: "port",
                title: "Port",
                description: "The port; 587 with starttls, 465 with tls and 25 with none where it is empty.",
                kind: FieldKind::Port,
                secret: false,
                required: false,
            },
            Field {
                name: "security",
                title: "Security",
                description: "starttls: plain at first, then encrypted or not at all. tls: encrypted from the start. none: never encrypted.",
                kind: FieldKind::Choice(&["starttls", "tls", "none"]),
                secret: false,
                required: false,
            },
            Field {
                description: "The user name; no sign-in where it is empty.",
                required: false,
                ..USERNAME
            },
            Field { required: false, ..PASSWORD },
            Field {
                name: "caCertificate",
                title: "CA certificate",
                description: "A certificate (PEM) to trust besides the public ones, for a mail server with a certificate of its own.",
                kind: FieldKind::LongText,
                secret: false,
                required: false,
            },
            Field {
                name: "helloName",
                title: "Hello name",
                description: "The name that Tidemill gives when it greets the mail server; the name of the machine where it is empty.",
                kind: FieldKind::Text,
                secret: false,
                required: false,
            },
        ],
    },
];

/// Every connector.
#[must_use]
pub fn all() -> &'static [Connector] {
    CONNECTORS
}
