//! When Mailroom cannot start, the window says why.

use crate::window::Window;
use crate::world::{Keychain, World};

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_with_words() {
    let mut world = World::new(Keychain::Unlocked);
    std::fs::create_dir_all(world.data_dir()).unwrap();
    let database = world.data_dir().join("mailroom.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection
        .execute_batch("CREATE TABLE t (a); PRAGMA user_version = 9999;")
        .unwrap();
    drop(connection);

    let window = Window::open(&mut world, &[]).await;
    window.wait_for_text("from a newer Mailroom").await;
    window
        .must_be_accessible("the refusal of a newer database")
        .await;
    window.close().await;
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_written_is_named() {
    let mut world = World::new(Keychain::Unlocked);
    // A file where the folder should be: refused to root as well.
    std::fs::write(world.data_dir(), "not a folder").unwrap();
    let window = Window::open(&mut world, &[]).await;
    window.wait_for_text("The data folder cannot be used").await;
    window.close().await;
}

#[tokio::test]
async fn without_a_keychain_connecting_ends_in_words() {
    let mut world = World::new(Keychain::Missing);
    let window = Window::open(&mut world, &[]).await;
    window.click("welcome-sandbox").await;
    window
        .fill("connect-address", "support@contoso.example")
        .await;
    window.click("connect-next").await;
    window.wait_for_text("No keychain was found").await;
    window.close().await;
}
