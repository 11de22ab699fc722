//! The practice tenant in a process of its own, filled with mail.

use crate::comparison::Comparison;
use crate::{Outcome, connection, runtime};
use mailroom_sandbox::{Description, Options, Sandbox};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Runs the tenant until its parent ends; the first line it prints describes it.
pub(crate) fn serve() -> Outcome<()> {
    runtime()?.block_on(async {
        let sandbox = Sandbox::start(Options::default()).await?;
        println!("{}", serde_json::to_string(sandbox.description())?);
        let _ = tokio::task::spawn_blocking(|| {
            std::io::copy(&mut std::io::stdin(), &mut std::io::sink())
        })
        .await?;
        sandbox.stop().await;
        Ok(())
    })
}

/// Imports by Graph, beside the least that an import can be.
pub(crate) fn compare(asked: &Comparison) -> Outcome<()> {
    println!("By Microsoft Graph, from the practice tenant");
    let tenant = Tenant::start(asked.most().max(crate::MAILBOX))?;
    asked.run(&tenant.description, &["engine", "floor"])?;
    Ok(())
}

/// A running tenant; it ends when this is dropped.
pub(crate) struct Tenant {
    process: Child,
    /// How to reach it, as JSON.
    pub(crate) description: String,
}

impl Tenant {
    /// Starts one whose support mailbox holds `mails`.
    pub(crate) fn start(mails: u32) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("tenant")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take();
        let mut tenant = Self {
            process,
            description: String::new(),
        };
        let stdout = stdout.ok_or("the tenant has no output")?;
        BufReader::new(stdout).read_line(&mut tenant.description)?;
        fill(&tenant.description, mails)?;
        Ok(tenant)
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        // Its input closes with this; killing only hastens the end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn fill(description: &str, mails: u32) -> Outcome<()> {
    let description: Description = serde_json::from_str(description)?;
    let url = format!(
        "{}/_sandbox/mailbox/{}/fill?count={mails}",
        description.authority,
        connection::MAILBOX
    );
    runtime()?.block_on(async {
        let answer = reqwest::Client::new().post(url).send().await?;
        answer.error_for_status()?;
        Ok(())
    })
}
