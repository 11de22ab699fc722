//! Checks tauri.conf.json, the permissions and the capability at build time. Does nothing without the window.

#[cfg(feature = "gui")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=src-tauri/permissions");
    tauri_build::try_build(
        tauri_build::Attributes::new()
            .capabilities_path_pattern("./src-tauri/capabilities/**/*")
            .app_manifest(
                tauri_build::AppManifest::new()
                    .permissions_path_pattern("./src-tauri/permissions/**/*.toml"),
            ),
    )
    .map_err(|error| format!("{error:#}").into())
}

#[cfg(not(feature = "gui"))]
fn main() {}
