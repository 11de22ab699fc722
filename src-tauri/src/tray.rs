//! The tray: a menu of plain lines, so that it works where trays cannot be clicked.

mod menu;

use crate::shell::Shell;
use crate::window;
use mailroom_core::api;
use mailroom_core::api::view::{AddressView, Status};
use mailroom_core::words::Words;
use menu::{Action, Line};
pub(crate) use menu::{Lamp, lamp as lamp_of};
use std::sync::{Arc, Mutex, PoisonError};
use tauri::image::Image;
use tauri::menu::{Menu, MenuBuilder, MenuItemBuilder};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager};

/// The tray icon and what it shows at the moment.
pub(crate) struct Tray {
    icon: TrayIcon,
    shown: Mutex<Option<menu::Picture>>,
}

impl Tray {
    /// Puts the icon into the tray; its menu says that there is no address yet.
    pub(crate) fn build(app: &AppHandle, words: &Words) -> tauri::Result<Self> {
        let picture = menu::picture(&[], words);
        let icon = TrayIconBuilder::with_id("mailroom")
            .icon(image(picture.lamp)?)
            .tooltip(&picture.summary)
            .menu(&native(app, &picture)?)
            .on_menu_event(|app, event| act(app, event.id().as_ref()))
            .build(app)?;
        Ok(Self {
            icon,
            shown: Mutex::new(Some(picture)),
        })
    }

    /// Shows these addresses. Cheap when nothing changed: an import tells of itself many times a second.
    pub(crate) fn show(&self, addresses: &[AddressView], words: &Words) {
        let picture = menu::picture(addresses, words);
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.as_ref() == Some(&picture) {
            return;
        }
        match self.draw(&picture) {
            Ok(()) => *shown = Some(picture),
            Err(error) => tracing::warn!(%error, "the tray cannot be drawn"),
        }
    }

    fn draw(&self, picture: &menu::Picture) -> tauri::Result<()> {
        self.icon
            .set_menu(Some(native(self.icon.app_handle(), picture)?))?;
        self.icon.set_icon(Some(image(picture.lamp)?))?;
        self.icon.set_tooltip(Some(&picture.summary))
    }
}

fn native(app: &AppHandle, picture: &menu::Picture) -> tauri::Result<Menu<tauri::Wry>> {
    let mut builder = MenuBuilder::new(app);
    for line in &picture.lines {
        builder = match line {
            Line::Text(text) => {
                builder.item(&MenuItemBuilder::new(text).enabled(false).build(app)?)
            }
            Line::Separator => builder.separator(),
            Line::Do(action, text) => builder.text(action.id(), text),
        };
    }
    builder.build()
}

fn image(lamp: Lamp) -> tauri::Result<Image<'static>> {
    Image::from_bytes(match lamp {
        Lamp::Ok => include_bytes!("../../icons/tray-ok.png"),
        Lamp::Attention => include_bytes!("../../icons/tray-attention.png"),
        Lamp::Failed => include_bytes!("../../icons/tray-failed.png"),
    })
}

fn act(app: &AppHandle, id: &str) {
    match Action::from_id(id) {
        Some(Action::Open) => window::show(app),
        Some(Action::Quit) => app.exit(0),
        Some(action @ (Action::SyncNow | Action::PauseAll | Action::ResumeAll)) => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                if let Err(error) = ask_core(&app, action).await {
                    tracing::warn!(%error, "the tray's wish was not fulfilled");
                    window::show(&app);
                }
            });
        }
        None => {}
    }
}

async fn ask_core(app: &AppHandle, action: Action) -> Result<(), api::error::ApiError> {
    let core = Arc::clone(&app.state::<Shell>().core().await?);
    if action == Action::SyncNow {
        return api::sync_now(&core, None).await;
    }
    for address in api::list_addresses(&core).await? {
        match (action, address.status) {
            (_, Status::Disconnected) => {}
            (Action::ResumeAll, Status::Paused) => api::resume_address(&core, address.id).await?,
            (Action::ResumeAll, _) | (_, Status::Paused) => {}
            _ => api::pause_address(&core, address.id).await?,
        }
    }
    Ok(())
}
