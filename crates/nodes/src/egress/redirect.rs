//! What a redirect makes of a request.

use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE,
    COOKIE, HeaderMap, LOCATION, PROXY_AUTHORIZATION,
};
use reqwest::{Method, StatusCode, Url};

use super::{Error, Request};

/// The URL that a response sends to, or `None` when it is no redirect.
pub(super) fn location(status: StatusCode, headers: &HeaderMap, from: &Url) -> Result<Option<Url>, Error> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(LOCATION) else { return Ok(None) };
    let unusable = || Error::Redirect("the server redirects to something that is not a URL".to_owned());
    // Many servers send raw UTF-8 here; the URL parser escapes it.
    let text = std::str::from_utf8(location.as_bytes()).map_err(|_| unusable())?;
    let mut next = from.join(text).map_err(|_| unusable())?;
    if next.fragment().is_none() {
        next.set_fragment(from.fragment());
    }
    Ok(Some(next))
}

/// Turns a request into the one for the next hop: the method as browsers rewrite it, and no credentials for
/// another origin.
pub(super) fn rewrite(request: &mut Request, status: StatusCode, next: Url) {
    let to_get = match status.as_u16() {
        301 | 302 => request.method == Method::POST,
        303 => request.method != Method::GET && request.method != Method::HEAD,
        _ => false,
    };
    if to_get {
        request.method = Method::GET;
        request.body = None;
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION] {
            request.headers.remove(name);
        }
    }
    if !same_origin(&request.url, &next) && !request.keep_credentials {
        drop_credentials(&mut request.headers);
    }
    request.url = next;
}

/// Removes what proves who is asking: the usual headers, and those marked as sensitive.
pub(super) fn drop_credentials(headers: &mut HeaderMap) {
    for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
        headers.remove(name);
    }
    let sensitive: Vec<_> =
        headers.iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.clone()).collect();
    for name in sensitive {
        headers.remove(name);
    }
}

/// Whether two URLs have the same scheme, host and port.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn request(method: Method) -> Request {
        let mut request = Request::new(method, "https://a.example/start".parse().unwrap());
        request.body = Some("x".into());
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        request.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer t"));
        let mut key = HeaderValue::from_static("k");
        key.set_sensitive(true);
        request.headers.insert("x-key", key);
        request.headers.insert("x-plain", HeaderValue::from_static("p"));
        request
    }

    #[test]
    fn methods_are_rewritten_as_the_status_says() {
        let cases = [
            (301, "POST", "GET", false),
            (302, "POST", "GET", false),
            (303, "POST", "GET", false),
            (303, "PUT", "GET", false),
            (303, "HEAD", "HEAD", true),
            (301, "PUT", "PUT", true),
            (302, "DELETE", "DELETE", true),
            (307, "POST", "POST", true),
            (308, "POST", "POST", true),
        ];
        for (status, before, after, keeps_body) in cases {
            let mut request = request(before.parse().unwrap());
            rewrite(
                &mut request,
                StatusCode::from_u16(status).unwrap(),
                "https://a.example/next".parse().unwrap(),
            );
            assert_eq!(request.method.as_str(), after, "{status} {before}");
            assert_eq!(request.body.is_some(), keeps_body, "{status} {before}");
            assert_eq!(request.headers.contains_key(CONTENT_TYPE), keeps_body, "{status} {before}");
            assert!(request.headers.contains_key(AUTHORIZATION), "{status} {before}");
        }
    }

    #[test]
    fn credentials_do_not_follow_to_another_origin() {
        for next in
            ["https://b.example/", "http://a.example/", "https://a.example:444/", "https://a.example.evil/"]
        {
            let mut request = request(Method::GET);
            rewrite(&mut request, StatusCode::FOUND, next.parse().unwrap());
            assert!(!request.headers.contains_key(AUTHORIZATION), "{next}");
            assert!(!request.headers.contains_key("x-key"), "{next}");
            assert!(request.headers.contains_key("x-plain"), "{next}");
        }
    }
}
