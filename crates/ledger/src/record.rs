//! The bytes of private records, by bincode 2.0.1, which lives in this file alone.
//!
//! None of these bytes is hashed, signed or handed over (docs/decisions/bincode.md).

use bincode::config::{Configuration, standard};
use bincode::error::DecodeError;
use bincode::{Decode, Encode, decode_from_slice, encode_to_vec};
use unbroken_evidence::chain::ChainOf;
use unbroken_evidence::field::{Field, FieldType, Value};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::{Opening, Position};
use unbroken_evidence::tree::Edge;

use crate::error::StoreError;
use crate::head::Head;

const CONFIG: Configuration = standard();

fn encode(value: &impl Encode) -> Vec<u8> {
    // Encoding into memory fails only for types that these are not.
    encode_to_vec(value, CONFIG).unwrap_or_default()
}

fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, StoreError> {
    match decode_from_slice(bytes, CONFIG) {
        Ok((value, read)) if read == bytes.len() => Ok(value),
        Ok(_) => Err(StoreError::Record("bytes after its end".to_owned())),
        Err(error) => Err(StoreError::Record(describe(&error))),
    }
}

fn describe(error: &DecodeError) -> String {
    error.to_string()
}

#[derive(Encode, Decode)]
struct EntryRecord {
    leaf: [u8; 32],
    note: Vec<u8>,
}

pub(crate) fn encode_entry(leaf: &Hash, note: &[u8]) -> Vec<u8> {
    encode(&EntryRecord { leaf: *leaf.as_bytes(), note: note.to_vec() })
}

pub(crate) fn decode_entry(bytes: &[u8]) -> Result<(Hash, Vec<u8>), StoreError> {
    let EntryRecord { leaf, note } = decode(bytes)?;
    Ok((Hash::new(leaf), note))
}

#[derive(Encode, Decode)]
struct HeadRecord {
    size: u64,
    peaks: Vec<[u8; 32]>,
    last_leaf: Option<[u8; 32]>,
    control: Option<[u8; 32]>,
    control_chain: Option<(u64, [u8; 32])>,
    key_chains: Vec<([u8; 32], u64, [u8; 32])>,
}

pub(crate) fn encode_head(head: &Head) -> Vec<u8> {
    let mut control_chain = None;
    let mut key_chains = Vec::new();
    for (chain, (number, text)) in &head.chains {
        match chain {
            ChainOf::Control => control_chain = Some((*number, *text.as_bytes())),
            ChainOf::Key(key) => key_chains.push((*key.as_bytes(), *number, *text.as_bytes())),
        }
    }
    encode(&HeadRecord {
        size: head.edge.size(),
        peaks: head.edge.peaks().iter().map(|peak| *peak.as_bytes()).collect(),
        last_leaf: head.last_leaf.map(|leaf| *leaf.as_bytes()),
        control: head.control.map(|leaf| *leaf.as_bytes()),
        control_chain,
        key_chains,
    })
}

pub(crate) fn decode_head(bytes: &[u8]) -> Result<Head, StoreError> {
    let record: HeadRecord = decode(bytes)?;
    let peaks = record.peaks.into_iter().map(Hash::new).collect();
    let edge = Edge::from_peaks(record.size, peaks)
        .ok_or_else(|| StoreError::Record("a head whose edge has not its size".to_owned()))?;
    let control = record.control_chain.map(|(n, text)| (ChainOf::Control, (n, Hash::new(text))));
    let keys = record
        .key_chains
        .into_iter()
        .map(|(key, number, text)| (ChainOf::Key(Hash::new(key)), (number, Hash::new(text))));
    Ok(Head {
        edge,
        last_leaf: record.last_leaf.map(Hash::new),
        control: record.control.map(Hash::new),
        chains: control.into_iter().chain(keys).collect(),
    })
}

#[derive(Encode, Decode)]
struct OpeningRecord {
    block_key: Option<[u8; 32]>,
    positions: Vec<PositionRecord>,
}

#[derive(Encode, Decode)]
enum PositionRecord {
    Open([u8; 16], String, String, u8, String),
    Closed([u8; 32]),
}

const TYPES: [FieldType; 9] = [
    FieldType::String,
    FieldType::Number,
    FieldType::Boolean,
    FieldType::Null,
    FieldType::Object,
    FieldType::Array,
    FieldType::Bytes,
    FieldType::Sha256,
    FieldType::Pad,
];

pub(crate) fn encode_opening(opening: Opening) -> Vec<u8> {
    let position = |position| match position {
        Position::Closed(leaf) => PositionRecord::Closed(*leaf.as_bytes()),
        Position::Open(Field { salt, value }) => {
            let place = TYPES.iter().position(|known| *known == value.field_type).unwrap_or(0);
            let number = u8::try_from(place).unwrap_or(0);
            PositionRecord::Open(salt, value.source, value.pointer, number, value.value)
        }
    };
    let positions = opening.positions.into_iter().map(position).collect();
    encode(&OpeningRecord { block_key: opening.block_key, positions })
}

pub(crate) fn decode_opening(bytes: &[u8]) -> Result<Opening, StoreError> {
    let record: OpeningRecord = decode(bytes)?;
    let position = |position| match position {
        PositionRecord::Closed(leaf) => Ok(Position::Closed(Hash::new(leaf))),
        PositionRecord::Open(salt, source, pointer, number, value) => {
            let field_type = TYPES.get(usize::from(number)).copied();
            let field_type = field_type.ok_or_else(|| StoreError::Record("a field type".into()))?;
            let value = Value { source, pointer, field_type, value };
            Ok(Position::Open(Field { salt, value }))
        }
    };
    let positions =
        record.positions.into_iter().map(position).collect::<Result<_, StoreError>>()?;
    Ok(Opening { block_key: record.block_key, positions })
}
