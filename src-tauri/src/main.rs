//! The window: a thin shell around the core, and the only code that names tauri.
//!
//! Reading order: `shell` (what is shared), `commands` (what the window may call), `notices` (what it is
//! told), `desktop` (opening links), `tray`, `sandbox`, `window`.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod args;
mod browsers;
mod commands;
mod desktop;
mod notices;
mod sandbox;
mod saving;
mod shell;
mod tray;
mod window;

use args::Args;
use shell::Shell;
use std::process::ExitCode;
use tauri::{AppHandle, Manager, RunEvent};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;
use tray::Tray;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("MAILROOM_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(filter);
    tracing_subscriber::registry()
        .with(shown)
        .with(mailroom_core::log::recent_lines())
        .init();
    let args = match Args::read(std::env::args_os().skip(1), |name| std::env::var_os(name)) {
        Ok(args) => args,
        Err(unknown) => {
            tracing::error!("{unknown}: not understood. {}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match build(args) {
        Ok(app) => {
            app.run(on_event);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the window system cannot be used");
            ExitCode::FAILURE
        }
    }
}

fn build(args: Args) -> tauri::Result<tauri::App> {
    let mut builder = tauri::Builder::default();
    // Someone who names a data folder wants a second Mailroom; everybody else wants the first one back.
    if args.data_dir.is_none() {
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, _, _| {
            window::show(app)
        }));
    }
    builder
        .plugin(tauri_plugin_window_state::Builder::new().build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_shell::init())
        // Links in the window are opened by our own command, which looks at them first.
        .plugin(
            tauri_plugin_opener::Builder::new()
                .open_js_links_on_click(false)
                .build(),
        )
        .invoke_handler(commands::handler())
        .setup(|app| {
            let handle = app.handle();
            let shell = Shell::new(handle.clone(), args);
            let words = shell.words();
            app.manage(shell);
            match Tray::build(handle, words) {
                Ok(tray) => drop(app.manage(tray)),
                // Everything in the tray is in the window too.
                Err(error) => tracing::warn!(%error, "this desktop has no tray"),
            }
            shell::open_soon(handle);
            window::show(handle);
            Ok(())
        })
        .build(tauri::generate_context!())
}

fn on_event(app: &AppHandle, event: RunEvent) {
    // The last window closed; no code means that nobody asked for the end.
    if let RunEvent::ExitRequested {
        code: None, api, ..
    } = &event
        && app.state::<Shell>().keeps_in_tray()
        && app.try_state::<Tray>().is_some()
    {
        api.prevent_exit();
    }
    if let RunEvent::Exit = event {
        tauri::async_runtime::block_on(app.state::<Shell>().end());
    }
    #[cfg(target_os = "macos")]
    if let RunEvent::Reopen { .. } = event {
        window::show(app);
    }
}
