//! Reads the members of a JSON object one by one, so that none is forgotten and none ignored.

use crate::error::FormError;
use crate::hash::Hash;
use crate::json::Value;
use crate::narrow;

/// The members of one object that have not been taken yet.
pub(crate) struct Members<'a> {
    item: &'static str,
    left: Vec<&'a (String, Value)>,
}

impl<'a> Members<'a> {
    pub(crate) fn of(item: &'static str, value: &'a Value) -> Result<Self, FormError> {
        match value.as_object() {
            Some(members) => Ok(Self { item, left: members.iter().collect() }),
            None => Err(FormError::malformed(item, "a JSON object", &narrow::encode(value))),
        }
    }

    pub(crate) fn optional(&mut self, name: &str) -> Option<&'a Value> {
        let position = self.left.iter().position(|(found, _)| found == name)?;
        Some(&self.left.remove(position).1)
    }

    pub(crate) fn required(&mut self, name: &str) -> Result<&'a Value, FormError> {
        let missing = || FormError::malformed(self.item, format!("member `{name}`"), "none");
        let position = self.left.iter().position(|(found, _)| found == name).ok_or_else(missing)?;
        Ok(&self.left.remove(position).1)
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<&'a str, FormError> {
        let value = self.required(name)?;
        value.as_str().ok_or_else(|| self.wrong(name, "a string", value))
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<u64, FormError> {
        let value = self.required(name)?;
        match value {
            Value::Number(token) => narrow::integer(token),
            _ => Err(self.wrong(name, "an integer", value)),
        }
    }

    pub(crate) fn optional_integer(&mut self, name: &str) -> Result<Option<u64>, FormError> {
        let present = self.left.iter().any(|(found, _)| found == name);
        if present { self.integer(name).map(Some) } else { Ok(None) }
    }

    pub(crate) fn hash(&mut self, name: &str) -> Result<Hash, FormError> {
        let value = self.required(name)?;
        let hash = value.as_str().and_then(Hash::from_hex);
        hash.ok_or_else(|| self.wrong(name, "64 lower-case hex digits", value))
    }

    pub(crate) fn optional_hash(&mut self, name: &str) -> Result<Option<Hash>, FormError> {
        let present = self.left.iter().any(|(found, _)| found == name);
        if present { self.hash(name).map(Some) } else { Ok(None) }
    }

    /// Every member has been taken; one that has not is unknown to this version.
    pub(crate) fn finish(self) -> Result<(), FormError> {
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => Err(FormError::unsupported(format!("{} member", self.item), name)),
        }
    }

    fn wrong(&self, name: &str, expected: &str, value: &Value) -> FormError {
        FormError::malformed(format!("{} {name}", self.item), expected, &narrow::encode(value))
    }
}
