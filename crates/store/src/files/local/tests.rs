use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt as _;

use futures::stream;
use tokio::io::AsyncReadExt as _;

use super::*;

fn pieces(pieces: &[&str]) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from(piece.to_string()))).collect();
    stream::iter(pieces)
}

fn left_over(root: &Path) -> usize {
    std::fs::read_dir(root.join(INCOMING)).unwrap().count()
}

#[tokio::test]
async fn content_comes_back_as_it_was_with_its_hash_and_size() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path().join("a/b")).await.unwrap();
    let id = Uuid::from_u128(0x1234);
    let stored = store.put(id, pieces(&["ab", "", "c"]), 3).await.unwrap();
    assert_eq!(stored.size_bytes, 3);
    assert_eq!(stored.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(stored.storage_path, "34/12/00000000000000000000000000001234");
    let mut open = store.read(id).await.unwrap().unwrap();
    assert_eq!(open.size_bytes, 3);
    let mut text = String::new();
    open.file.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "abc");
    let open = store.read(id).await.unwrap().unwrap();
    let read: Vec<Bytes> = open.into_stream().map(|piece| piece.unwrap()).collect().await;
    assert_eq!(read.concat(), b"abc");
    let path = folder.path().join("a/b").join(&stored.storage_path);
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn content_over_the_limit_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).await.unwrap();
    let id = Uuid::from_u128(1);
    let error = store.put(id, pieces(&["abc", "d"]), 3).await.unwrap_err();
    assert!(matches!(error, FileStoreError::TooLarge { max_bytes: 3 }));
    assert!(store.read(id).await.unwrap().is_none());
    assert_eq!(left_over(folder.path()), 0);
}

#[tokio::test]
async fn content_that_breaks_off_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).await.unwrap();
    let broken = stream::iter([Ok(Bytes::from("abc")), Err(io::Error::other("the line went dead"))]);
    let error = store.put(Uuid::from_u128(1), broken, 100).await.unwrap_err();
    assert!(matches!(error, FileStoreError::Source(_)));
    assert!(store.read(Uuid::from_u128(1)).await.unwrap().is_none());
    assert_eq!(left_over(folder.path()), 0);
}

#[tokio::test]
async fn a_sender_that_goes_away_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).await.unwrap();
    let endless = pieces(&["abc"]).chain(stream::pending());
    let mut put = Box::pin(store.put(Uuid::from_u128(1), endless, 100));
    let begun = async {
        while left_over(folder.path()) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = &mut put => panic!("the content has no end"),
        () = begun => {}
    }
    drop(put);
    assert_eq!(left_over(folder.path()), 0);
}

#[tokio::test]
async fn what_is_deleted_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).await.unwrap();
    let id = Uuid::from_u128(1);
    store.put(id, pieces(&["abc"]), 100).await.unwrap();
    assert!(store.delete(id).await.unwrap());
    assert!(!store.delete(id).await.unwrap());
    assert!(store.read(id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_store_that_cannot_be_made_names_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let error = FileStore::open(in_the_way.join("store")).await.unwrap_err();
    assert!(error.to_string().contains("file/store"), "{error}");
}
