//! Passwords: argon2id, off the threads that serve requests, and only so many at a time.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use tokio::sync::Semaphore;

use crate::problem::{Code, Problem};

/// Fewest characters of a password (NIST SP 800-63B, 3.1.1.2: at least 8).
const MIN_CHARS: usize = 8;

/// Longest password in bytes; more would only cost time.
const MAX_BYTES: usize = 1024;

/// Hashes computed at once. Each takes 19 MiB (argon2's defaults, after OWASP's), so the number bounds the memory
/// that a flood of sign-ins can take.
const AT_ONCE: usize = 2;

/// Seconds after which a caller that found all places taken may come back.
const RETRY_AFTER_SECS: u32 = 1;

/// Most callers that wait for a place.
const QUEUE: usize = 64;

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// A hash that no password has, checked where there is no account: the answer takes as long.
    decoy: Arc<str>,
}

impl Passwords {
    /// Prepares the hasher.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new() -> Result<Self, Problem> {
        let decoy = hash_now("no account has this password")?.into();
        Ok(Self { places: Arc::new(Semaphore::new(AT_ONCE)), queue: Arc::new(Semaphore::new(QUEUE)), decoy })
    }

    /// Says what is wrong with a new password.
    ///
    /// # Errors
    /// Names the field `password`.
    pub fn judge(password: &str) -> Result<(), Problem> {
        if password.chars().count() < MIN_CHARS {
            return Err(Problem::field("password", format!("at least {MIN_CHARS} characters")));
        }
        if password.len() > MAX_BYTES {
            return Err(Problem::field("password", format!("at most {MAX_BYTES} bytes")));
        }
        Ok(())
    }

    /// The hash of a password, as a PHC string.
    ///
    /// # Errors
    /// 503 when too many wait already.
    pub async fn hash(&self, password: String) -> Result<String, Problem> {
        self.in_a_place(move || hash_now(&password)).await?
    }

    /// Whether a password has this hash; without a hash it takes as long and the answer is no.
    ///
    /// # Errors
    /// 503 when too many wait already.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Problem> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let fits = self
            .in_a_place(move || {
                password.len() <= MAX_BYTES
                    && PasswordHash::new(&hash).is_ok_and(|hash| {
                        Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
                    })
            })
            .await?;
        Ok(fits && known)
    }

    async fn in_a_place<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || {
            Problem::new(Code::Unavailable, "too many sign-ins at once").with_retry_after(RETRY_AFTER_SECS)
        };
        let queued = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| busy())?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| busy())?;
        // The work goes on when its caller has gone, so the place is the work's and not the caller's.
        let work = move || {
            let _places = (queued, place);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
    }
}

fn hash_now(password: &str) -> Result<String, Problem> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_hash_and_no_other() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct house".to_owned(), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn a_place_stays_taken_while_the_work_of_a_caller_that_has_gone_goes_on() {
        let passwords = Passwords::new().unwrap();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (finish, may_finish) = std::sync::mpsc::channel::<()>();
        let work = passwords.in_a_place(move || {
            let _ = started.send(());
            let _ = may_finish.recv();
        });
        tokio::select! {
            _ = work => panic!("the work cannot have ended"),
            started = has_started => started.unwrap(),
        }
        assert_eq!(passwords.places.available_permits(), AT_ONCE - 1);
        drop(finish);
        let _free = passwords.places.acquire_many(AT_ONCE as u32).await.unwrap();
    }

    #[tokio::test]
    async fn without_an_account_no_password_fits() {
        let passwords = Passwords::new().unwrap();
        assert!(!passwords.verify("no account has this password".to_owned(), None).await.unwrap());
    }

    #[test]
    fn a_short_password_is_refused_by_name() {
        assert!(Passwords::judge("1234567").unwrap_err().to_string().contains("password"));
        assert!(Passwords::judge("12345678").is_ok());
    }
}
