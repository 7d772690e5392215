//! What is stated: entries, their kinds and bodies, the fields they commit to, the bytes they are about.

pub mod body;
pub mod chain;
pub mod content;
pub mod declared;
pub mod disclosed;
pub mod document;
mod draft;
mod envelope;
pub mod field;
pub mod kind;
pub mod left_out;
pub mod length;
pub mod opening;
pub mod produced;
mod statement;
mod value;
pub mod vocabulary;

pub use self::envelope::Envelope;
pub use self::statement::{
    FIRST_LINE, Statement, UnverifiedEntry, VerifiedEntry, own_signatures_hold,
};
