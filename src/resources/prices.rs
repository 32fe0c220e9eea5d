//! AWS's on-demand list prices, from a dated table: `prices.json` beside this file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::Cost;

/// Hours in a month, as AWS's own calculator counts them.
const HOURS: f64 = 730.0;

static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("prices.json")).unwrap_or_default());

#[derive(Default, Deserialize)]
struct Table {
    date: String,
    items: BTreeMap<String, Item>,
}

#[derive(Deserialize)]
struct Item {
    unit: String,
    #[serde(flatten)]
    fields: BTreeMap<String, serde_json::Value>,
}

/// The month that the table is of, `YYYY-MM`.
#[must_use]
pub fn date() -> &'static str {
    &TABLE.date
}

/// What `quantity` of an item (`ec2/t3a.small`, `ebs/gp3`) costs a month in a region; hours are
/// taken as a whole month of them.
#[must_use]
pub fn monthly(item: &str, region: &str, quantity: f64) -> Cost {
    let price = TABLE.items.get(item).and_then(|it| {
        let price = it.fields.get(region)?.as_f64()?;
        Some(if it.unit == "hour" {
            price * HOURS
        } else {
            price
        })
    });
    match price {
        Some(price) => Cost::of_item(item, price * quantity, date()),
        None => Cost::unknown(format!("{item} in {region}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_what_it_lacks_is_unknown() {
        assert!(!date().is_empty());
        assert!(!monthly("ec2/none.such", "eu-west-1", 1.0).is_known());
        let disk = monthly("ebs/gp3", "eu-west-1", 30.0);
        assert_eq!(disk.cents(), 264);
        assert_eq!(disk.date.as_deref(), Some(date()));
    }
}
