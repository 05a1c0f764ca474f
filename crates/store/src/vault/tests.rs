use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::settings::Secret;

const CONTEXT: SealContext<'static> = SealContext {
    table: "integrations",
    row_id: Uuid::from_u128(1),
    organization_id: Uuid::from_u128(2),
    field: "credentials_encrypted",
};

fn key(byte: u8) -> Secret {
    let mut bytes = [byte; 32];
    bytes[0] = byte.wrapping_add(1);
    Secret::new(STANDARD.encode(bytes))
}

fn vault(current: u8, previous: &[u8]) -> Vault {
    let previous: Vec<Secret> = previous.iter().map(|byte| key(*byte)).collect();
    Vault::open(Keyring::from_base64(&key(current), &previous).unwrap())
}

#[test]
fn a_sealed_value_opens_at_its_place() {
    let vault = vault(1, &[]);
    for secret in [b"".as_slice(), b"x", &[0u8; 100_000]] {
        let sealed = vault.seal(&CONTEXT, secret).unwrap();
        assert_eq!(vault.unseal(&CONTEXT, &sealed).unwrap(), secret);
    }
}

#[test]
fn two_seals_of_one_secret_differ() {
    let vault = vault(1, &[]);
    assert_ne!(vault.seal(&CONTEXT, b"secret").unwrap(), vault.seal(&CONTEXT, b"secret").unwrap());
}

#[test]
fn a_value_moved_to_another_place_does_not_open_and_says_which_part_differs() {
    let vault = vault(1, &[]);
    let sealed = vault.seal(&CONTEXT, b"secret").unwrap();
    for (context, expected) in [
        (SealContext { table: "webhooks", ..CONTEXT }, Place::Table),
        (SealContext { row_id: Uuid::from_u128(9), ..CONTEXT }, Place::Row),
        (SealContext { organization_id: Uuid::from_u128(9), ..CONTEXT }, Place::Organization),
        (SealContext { field: "secret_encrypted", ..CONTEXT }, Place::Field),
    ] {
        match vault.unseal(&context, &sealed) {
            Err(Error::Misplaced { place }) => assert_eq!(place, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_forged_header_does_not_move_a_value() {
    let vault = vault(1, &[]);
    let elsewhere = SealContext { row_id: Uuid::from_u128(9), ..CONTEXT };
    let mut sealed = vault.seal(&CONTEXT, b"secret").unwrap();
    sealed[PLACE_AT..NONCE_AT].copy_from_slice(&elsewhere.fingerprint());
    assert!(matches!(vault.unseal(&elsewhere, &sealed), Err(Error::Corrupt { .. })));
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let vault = vault(1, &[]);
    let sealed = vault.seal(&CONTEXT, b"secret").unwrap();
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        let error = vault.unseal(&CONTEXT, &changed).unwrap_err();
        let is_as_documented = match error {
            Error::UnknownVersion { .. } => index == 0,
            Error::UnknownKey { .. } => (KEY_ID_AT..PLACE_AT).contains(&index),
            Error::Misplaced { .. } => (PLACE_AT..NONCE_AT).contains(&index),
            Error::Corrupt { .. } => index >= NONCE_AT,
            _ => false,
        };
        assert!(is_as_documented, "byte {index}: {error}");
    }
}

#[test]
fn a_previous_key_still_opens_and_its_values_count_as_outdated() {
    let sealed = vault(1, &[]).seal(&CONTEXT, b"secret").unwrap();
    let rotated = vault(2, &[1]);
    assert_eq!(rotated.unseal(&CONTEXT, &sealed).unwrap(), b"secret");
    assert!(rotated.is_outdated(&sealed).unwrap());
    assert!(!rotated.is_outdated(&rotated.seal(&CONTEXT, b"secret").unwrap()).unwrap());
}

#[test]
fn a_value_of_a_key_that_is_gone_names_the_key() {
    let old = vault(1, &[]);
    let sealed = old.seal(&CONTEXT, b"secret").unwrap();
    match vault(2, &[]).unseal(&CONTEXT, &sealed) {
        Err(Error::UnknownKey { key_id }) => assert_eq!(key_id, old.current_key()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_that_is_no_key_is_refused() {
    for text in ["", "not base64!", "c2hvcnQ=", &STANDARD.encode([0u8; 32]), &STANDARD.encode([1u8; 33])] {
        let error = Keyring::from_base64(&Secret::new(text), &[]).unwrap_err();
        assert!(matches!(error, Error::InvalidKey { .. }), "{text}: {error}");
    }
}

#[test]
fn nothing_that_is_printed_holds_the_key() {
    let vault = vault(1, &[7]);
    let printed = format!("{vault:?}");
    let bytes: Vec<String> = vault.keys.current().bytes().iter().map(u8::to_string).collect();
    assert!(!printed.contains(&bytes.join(", ")));
    assert!(!printed.contains(key(1).expose()) && !printed.contains(key(7).expose()));
    assert!(printed.contains(&vault.current_key().to_string()));
}

#[test]
fn a_key_file_is_made_once_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys/vault.key");
    assert!(matches!(Keyring::load(&path), Err(Error::MissingKey { .. })));
    let made = Keyring::load_or_create(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    let again = Keyring::load_or_create(&path).unwrap();
    assert_eq!(made.current().id(), again.current().id());
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "a temporary file is left");
}

#[test]
fn processes_that_start_at_once_agree_on_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.key");
    let ids: Vec<KeyId> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| Keyring::load_or_create(&path).unwrap().current().id())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.key");
    Keyring::load_or_create(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    match Keyring::load_or_create(&path) {
        Err(Error::LooseMode { mode, .. }) => assert_eq!(mode, 0o640),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_file_may_hold_comments_and_earlier_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.key");
    std::fs::write(&path, format!("# ours\n\n{}\n{}\n", key(2).expose(), key(1).expose())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let sealed = vault(1, &[]).seal(&CONTEXT, b"secret").unwrap();
    assert_eq!(Vault::open(Keyring::load(&path).unwrap()).unseal(&CONTEXT, &sealed).unwrap(), b"secret");
    std::fs::write(&path, "# none\n").unwrap();
    assert!(matches!(Keyring::load(&path), Err(Error::InvalidKey { .. })));
}

proptest! {
    #[test]
    fn no_input_makes_unsealing_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(vault(1, &[]).unseal(&CONTEXT, &bytes).is_err());
    }

    #[test]
    fn no_tail_after_a_right_header_makes_unsealing_panic(tail in proptest::collection::vec(any::<u8>(), 0..100)) {
        let vault = vault(1, &[]);
        let mut bytes = vault.seal(&CONTEXT, b"secret").unwrap();
        bytes.truncate(NONCE_AT);
        bytes.extend(tail);
        let opened = vault.unseal(&CONTEXT, &bytes);
        let is_corrupt = matches!(opened, Err(Error::Corrupt { .. }));
        prop_assert!(is_corrupt);
    }

    #[test]
    fn every_secret_comes_back(secret in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let vault = vault(1, &[]);
        let sealed = vault.seal(&CONTEXT, &secret).unwrap();
        prop_assert_eq!(vault.unseal(&CONTEXT, &sealed).unwrap(), secret);
    }
}
