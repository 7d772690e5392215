//! The bytes of private records, by bincode 2.0.1, which lives in this file alone.
//!
//! None of these bytes is hashed, signed or handed over (docs/decisions/bincode.md).

use bincode::config::{Configuration, standard};
use bincode::error::DecodeError;
use bincode::{Decode, Encode, decode_from_slice, encode_to_vec};
use unbroken_evidence::chain::ChainOf;
use unbroken_evidence::field::{Field, FieldType, Salts as FieldSalts, Value, Withheld};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::{Opening, Position};
use unbroken_evidence::tree::Edge;

use crate::error::StoreError;
use crate::head::Head;
use crate::random::Seed;

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

/// An opening: with the seed of its salts while all of it is open, with each salt once something of it
/// was erased, for a seed would bring the erased salts back.
#[derive(Encode, Decode)]
enum OpeningRecord {
    Seeded { block_key: Option<[u8; 32]>, seed: [u8; 32], values: Vec<ValueRecord> },
    Salted { block_key: Option<[u8; 32]>, positions: Vec<PositionRecord> },
}

#[derive(Encode, Decode)]
struct ValueRecord {
    source: String,
    pointer: String,
    field_type: u8,
    value: String,
}

#[derive(Encode, Decode)]
enum PositionRecord {
    Shown { name_salt: [u8; 16], value_salt: [u8; 16], value: ValueRecord },
    Withheld { name_salt: [u8; 16], source: String, pointer: String, value: [u8; 32] },
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

impl ValueRecord {
    fn of(value: Value) -> Self {
        let place = TYPES.iter().position(|known| *known == value.field_type).unwrap_or(0);
        let Value { source, pointer, value, .. } = value;
        Self { source, pointer, field_type: u8::try_from(place).unwrap_or(0), value }
    }

    fn value(self) -> Result<Value, StoreError> {
        let Self { source, pointer, field_type, value } = self;
        let field_type = TYPES.get(usize::from(field_type)).copied();
        let field_type = field_type.ok_or_else(|| StoreError::Record("a field type".into()))?;
        Ok(Value { source, pointer, field_type, value })
    }
}

pub(crate) fn encode_opening(opening: Opening, seed: Option<&Seed>) -> Vec<u8> {
    let Opening { block_key, positions } = opening;
    if let Some(seed) = seed.filter(|seed| are_of(&positions, seed)) {
        let value = |position| match position {
            Position::Shown(Field { value, .. }) => Some(ValueRecord::of(value)),
            Position::Withheld(_) | Position::Closed(_) => None,
        };
        let values = positions.into_iter().filter_map(value).collect();
        return encode(&OpeningRecord::Seeded { block_key, seed: *seed.as_bytes(), values });
    }
    let position = |position| match position {
        Position::Closed(leaf) => PositionRecord::Closed(*leaf.as_bytes()),
        Position::Withheld(Withheld { name_salt, source, pointer, value }) => {
            PositionRecord::Withheld { name_salt, source, pointer, value: *value.as_bytes() }
        }
        Position::Shown(Field { salts, value }) => PositionRecord::Shown {
            name_salt: salts.name,
            value_salt: salts.value,
            value: ValueRecord::of(value),
        },
    };
    let positions = positions.into_iter().map(position).collect();
    encode(&OpeningRecord::Salted { block_key, positions })
}

/// Whether every position is shown, and its salts are the next ones of `seed`.
fn are_of(positions: &[Position], seed: &Seed) -> bool {
    let mut salts = seed.salts();
    positions.iter().all(|position| match position {
        Position::Shown(field) => {
            field.salts == FieldSalts { name: salts.next_salt(), value: salts.next_salt() }
        }
        Position::Withheld(_) | Position::Closed(_) => false,
    })
}

pub(crate) fn decode_opening(bytes: &[u8]) -> Result<Opening, StoreError> {
    let position = |position| match position {
        PositionRecord::Closed(leaf) => Ok(Position::Closed(Hash::new(leaf))),
        PositionRecord::Withheld { name_salt, source, pointer, value } => {
            let value = Hash::new(value);
            Ok(Position::Withheld(Withheld { name_salt, source, pointer, value }))
        }
        PositionRecord::Shown { name_salt, value_salt, value } => {
            let salts = FieldSalts { name: name_salt, value: value_salt };
            Ok(Position::Shown(Field { salts, value: value.value()? }))
        }
    };
    match decode(bytes)? {
        OpeningRecord::Salted { block_key, positions } => {
            let positions = positions.into_iter().map(position);
            Ok(Opening { block_key, positions: positions.collect::<Result<_, StoreError>>()? })
        }
        OpeningRecord::Seeded { block_key, seed, values } => {
            let mut salts = Seed::of(seed).salts();
            let position = |value: ValueRecord| {
                let salts = FieldSalts { name: salts.next_salt(), value: salts.next_salt() };
                Ok(Position::Shown(Field { salts, value: value.value()? }))
            };
            let positions = values.into_iter().map(position);
            Ok(Opening { block_key, positions: positions.collect::<Result<_, StoreError>>()? })
        }
    }
}
