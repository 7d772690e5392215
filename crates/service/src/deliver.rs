//! Delivers alerts: to a webhook, to a program, to the log.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use unbroken_evidence::error::printable;

use crate::config::Channel;

/// A receiver that takes longer is given up, and asked again later.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

/// Sends a document that says that it is a test, as an alert would be sent.
///
/// # Errors
/// Why it was not taken; never with a secret that its address may have.
pub fn send_test(channel: &Channel, at: &str) -> Result<(), String> {
    deliver(
        channel,
        &json!({
            "schema": "unbroken/alert@v1", "id": format!("{at}/test"), "reason": "test", "source": "",
            "at": at, "pass": null, "sentence": "a test: nothing was found", "count": 0, "first": [],
        }),
    )
}

/// Delivers one alert.
///
/// # Errors
/// Why it was not taken; never with a secret that its address may have.
pub(crate) fn deliver(channel: &Channel, document: &Value) -> Result<(), String> {
    match channel {
        Channel::Stderr => {
            let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
            tracing::warn!(reason = text("reason"), id = text("id"), "alert: {}", text("sentence"));
            Ok(())
        }
        Channel::Command(words) => command(words, document),
        Channel::Webhook(address) => webhook(address, document),
    }
}

/// The program gets the document on stdin; it took it when it ends with 0.
fn command(words: &[String], document: &Value) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("no program".to_owned());
    };
    let shown = printable(program);
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{shown}: {error}"))?;
    // A program that reads nothing and ends is no failure of the writing.
    let text = format!("{document}\n");
    let stdin = child.stdin.take();
    let writer = std::thread::spawn(move || {
        stdin.map(|mut stdin| stdin.write_all(text.as_bytes()));
    });
    let began = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break Ok(()),
            Ok(Some(status)) => break Err(format!("{shown}: ended with {status}")),
            Ok(None) if began.elapsed() > PATIENCE => {
                end(&mut child);
                break Err(format!("{shown}: did not end within {} s", PATIENCE.as_secs()));
            }
            Ok(None) => std::thread::sleep(LOOK),
            Err(error) => break Err(format!("{shown}: {error}")),
        }
    };
    // Somebody whom the program left behind may hold its stdin open for ever.
    if writer.is_finished() {
        let _ = writer.join();
    }
    ended
}

/// Ends a program and whatever it has begun itself.
fn end(child: &mut Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    let _ = child.kill();
    let _ = child.wait();
}

/// A POST; anything between 200 and 299 took it.
fn webhook(address: &str, document: &Value) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        match tokio::time::timeout(PATIENCE, post(address, document)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("the webhook did not answer within {} s", PATIENCE.as_secs())),
        }
    })
}

async fn post(address: &str, document: &Value) -> Result<(), String> {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(|_| "no root certificates are found on this machine".to_owned())?
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::post(address)
        .header("content-type", "application/json")
        .header("user-agent", concat!("unbroken/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from(document.to_string())))
        .map_err(|_| "the webhook's address is none".to_owned())?;
    // The address may hold a secret, and the error may hold the address.
    let answer = client.request(request).await.map_err(|error| {
        if error.is_connect() { "the webhook cannot be reached" } else { "the webhook broke off" }
    })?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(format!("the webhook answered {status}")) }
}
