//! A proxy that remembers every byte: how a test learns the secrets that must not be found anywhere else.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub(super) struct Proxy {
    pub(super) url: String,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Proxy {
    /// Stands before the server on `port` of this computer.
    pub(super) fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let all = heard.clone();
        // Ends with the process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
                    return;
                };
                let both = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (up, down) = (all.clone(), all.clone());
                std::thread::spawn(move || pass(client, server, &up));
                std::thread::spawn(move || pass(both.1, both.0, &down));
            }
        });
        Self { url, heard }
    }

    /// Tokens, codes and proofs that went through, each once.
    pub(super) fn secrets(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for bytes in self.heard.lock().unwrap().iter() {
            let text = String::from_utf8_lossy(bytes);
            for (before, ends) in [
                ("\"access_token\":\"", "\""),
                ("\"refresh_token\":\"", "\""),
                ("\"id_token\":\"", "\""),
                ("earer ", "\r\" "),
                ("refresh_token=", "& \r\n\""),
                ("code_verifier=", "& \r\n\""),
                ("?code=", "& \r\n\""),
                ("&code=", "& \r\n\""),
                ("passwd=", "& \r\n\""),
            ] {
                found.extend(
                    text.split(before)
                        .skip(1)
                        .filter_map(|rest| rest.split(|c| ends.contains(c)).next())
                        .filter(|secret| secret.len() >= 8)
                        .map(str::to_owned),
                );
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, heard: &Mutex<Vec<Vec<u8>>>) {
    let place = {
        let mut all = heard.lock().unwrap();
        all.push(Vec::new());
        all.len() - 1
    };
    let mut piece = [0; 16 * 1024];
    while let Ok(length) = from.read(&mut piece) {
        if length == 0 {
            break;
        }
        heard.lock().unwrap()[place].extend_from_slice(&piece[..length]);
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    let _ = to.shutdown(Shutdown::Write);
}
