//! Applies an acknowledged erasure: value and its salt give way to their hash (spec/fields.md F12).

use unbroken_evidence::narrow::decimal;
use unbroken_evidence::opening::{Opening, Position};

use crate::error::LedgerError;
use crate::private::Private;

/// Applies the `erasure` entry at `index` to the opening of entry `target`. Applying it again
/// changes nothing; an opening that is not there needs no erasing.
pub(crate) fn apply(private: &mut Private, index: u64, target: u64) -> Result<(), LedgerError> {
    let (Some((_, order)), Some((_, opening))) =
        (private.opening(index)?, private.opening(target)?)
    else {
        return Ok(());
    };
    let erased = erase(opening.clone(), &order);
    if erased == opening { Ok(()) } else { private.erase(target, erased) }
}

fn erase(mut opening: Opening, order: &Opening) -> Opening {
    for position in &order.positions {
        let Position::Shown(field) = position else { continue };
        if field.value.source != "erasure" {
            continue;
        }
        let place = field.value.pointer.trim_start_matches('/');
        if place == "block_key" {
            opening.block_key = None;
        } else if let Some(position) = decimal(place)
            .and_then(|place| usize::try_from(place).ok())
            .and_then(|place| opening.positions.get_mut(place))
            && let Position::Shown(erased) = position
        {
            *position = Position::Withheld(erased.withhold());
        }
    }
    opening
}
