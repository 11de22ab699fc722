//! What the application asks of the desktop it runs on.

use futures_util::future::BoxFuture;

/// The desktop, as far as it is needed. The window, the command line and tests each have their own.
pub trait Desktop: Send + Sync {
    /// Opens `url` in the system's browser, in a private window where asked. `Err` says why no browser could be
    /// started; `Ok` does not prove that one appeared, so shells always offer the link too.
    fn open_url<'a>(
        &'a self,
        url: &'a str,
        private_window: bool,
    ) -> BoxFuture<'a, Result<(), String>>;
}
