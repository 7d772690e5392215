//! Checkpoints: their form, under signatures that hold, and the signatures on them (spec/log.md, L2).

use crate::cases::{Case, case};
use crate::scene::{Scene, stranger_key};

fn text(name: &'static str, exit: u8, edit: fn(&mut String)) -> Case {
    let step = if exit == 0 { "-" } else { "V8" };
    case(name, exit, step, &Scene { checkpoint_text: Box::new(edit), ..Scene::default() })
}

fn note(name: &'static str, exit: u8, edit: fn(&mut String)) -> Case {
    let step = if exit == 0 { "-" } else { "V8" };
    case(name, exit, step, &Scene { checkpoint_note: Box::new(edit), ..Scene::default() })
}

fn line(text: &mut String, number: usize, edit: impl Fn(&str) -> String) {
    let lines = text.lines().enumerate();
    *text = lines
        .map(|(place, line)| if place == number { edit(line) } else { line.to_owned() } + "\n")
        .collect();
}

/// The last signature line once more, changed.
fn once_more(note: &mut String, edit: impl Fn(&str) -> String) {
    let last = note.lines().last().unwrap_or_default().to_owned();
    note.push_str(&edit(&last));
    note.push('\n');
}

/// Another last character but one: the signature is another.
fn other_signature(line: &str) -> String {
    let at = line.len() - 20;
    let other = if line.get(at..=at) == Some("A") { "B" } else { "A" };
    format!("{}{other}{}", line.get(..at).unwrap_or(""), line.get(at + 1..).unwrap_or(""))
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        text("checkpoint-leading-zero", 1, |t| line(t, 1, |size| format!("0{size}"))),
        text("checkpoint-size-with-a-sign", 1, |t| line(t, 1, |size| format!("+{size}"))),
        text("checkpoint-line-ending", 1, |t| line(t, 1, |size| format!("{size}\r"))),
        text("checkpoint-root-of-31-bytes", 1, |t| {
            line(t, 2, |_| "A".repeat(42));
        }),
        text("checkpoint-root-without-padding", 1, |t| {
            line(t, 2, |root| root.trim_end_matches('=').to_owned());
        }),
        text("checkpoint-root-with-spare-bits", 1, |t| line(t, 2, spare_bits)),
        text("checkpoint-without-root", 1, |t| {
            *t = t.lines().take(2).map(|line| format!("{line}\n")).collect();
        }),
        Case {
            step: "V10",
            ..text("checkpoint-of-another-root-signed", 1, |t| {
                line(t, 2, |_| "A".repeat(43) + "=");
            })
        },
        Case {
            step: "V12",
            trust: "ledger-id",
            ..note("checkpoint-of-another-ledger-under-the-ledger-id", 1, |note| {
                let text =
                    "example.com/recordings\n9\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
                *note = stranger_key().sign_note(text);
            })
        },
        text("checkpoint-extension", 0, |t| t.push_str("an extension that nobody knows\n")),
        text("checkpoint-extension-empty", 1, |t| t.push_str("\nbehind an empty line\n")),
        note("checkpoint-signed-by-another-too", 0, also_by_a_stranger),
        Case {
            trust: "two-anchors",
            step: "V12",
            ..note("checkpoint-signed-by-a-stranger-too-who-is-trusted", 1, also_by_a_stranger)
        },
        note("checkpoint-signer-with-a-plus", 1, |n| {
            once_more(n, |line| line.replace("example.com/log", "example.com+log"));
        }),
        note("checkpoint-signed-twice-once-wrong", 1, |n| once_more(n, other_signature)),
        note("checkpoint-without-signature", 1, |n| {
            let text = n.split_inclusive("\n\n").next().unwrap_or_default().to_owned();
            *n = text;
        }),
        note("checkpoint-signature-with-a-hyphen", 1, |n| *n = n.replacen('\u{2014}', "-", 1)),
        note("checkpoint-without-last-line-feed", 1, |n| {
            n.pop();
        }),
    ]
}

/// The same bytes in base64, with unused bits that are not zero.
fn spare_bits(root: &str) -> String {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (head, last) = root.split_at(42);
    let place = last.chars().next().and_then(|digit| DIGITS.find(digit)).unwrap_or(0);
    let other = DIGITS.get(place + 1..place + 2).unwrap_or("B");
    format!("{head}{other}=")
}

fn also_by_a_stranger(note: &mut String) {
    let text = note.split("\n\n").next().unwrap_or_default().to_owned() + "\n";
    let by_another = stranger_key().sign_note(&text);
    note.push_str(by_another.lines().last().unwrap_or_default());
    note.push('\n');
}
