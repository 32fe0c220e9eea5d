//! What differs between a table as it is and as it is wanted.

use std::collections::BTreeMap;

use super::{Index, Live, Table};
use crate::base::{Diff, Shown};
use crate::contract::Target;
use crate::resources::kms_key::KmsKey;
use crate::resources::named;

pub(super) fn of(table: &Table, live: &Live, target: Target<'_>) -> Diff {
    let name = named::name_of(table.name.as_ref(), target);
    let yes_no = |is: bool| Shown::of(if is { "yes" } else { "no" });
    let units = table.capacity();
    let diff = Diff::default()
        .fixed("name", Shown::of(&live.name), Shown::of(name))
        .fixed(
            "partition_key",
            Shown::option(live.partition_key.as_ref()),
            Shown::of(&table.partition_key),
        )
        .fixed(
            "sort_key",
            Shown::option(live.sort_key.as_ref()),
            Shown::option(table.sort_key.as_ref()),
        )
        .field(
            "billing_mode",
            Shown::of(live.billing_mode),
            Shown::of(table.billing_mode),
        )
        .field(
            "read_capacity",
            Shown::option(live.capacity.map(|it| it.read)),
            Shown::option(units.map(|it| it.read)),
        )
        .field(
            "write_capacity",
            Shown::option(live.capacity.map(|it| it.write)),
            Shown::option(units.map(|it| it.write)),
        )
        .field(
            "ttl_attribute",
            Shown::option(live.ttl_attribute.as_ref()),
            Shown::option(table.ttl_attribute.as_ref()),
        )
        .field(
            "point_in_time_recovery",
            yes_no(live.point_in_time_recovery),
            yes_no(table.point_in_time_recovery),
        )
        .field(
            "stream",
            Shown::option(live.stream),
            Shown::option(table.stream),
        );
    let diff = if live.stream == table.stream {
        diff
    } else {
        diff.unsettles("stream_arn")
    };
    let (old, new) = KmsKey::shown(table.key.as_ref(), live.key.as_deref(), target.world);
    let diff = diff.field("key", old, new).field(
        "table_class",
        Shown::of(live.table_class),
        Shown::of(table.table_class),
    );
    let anew = rebuilt(table, live);
    let (old, new) = (listed(&live.indexes), listed(&table.indexes));
    let diff = if anew.is_empty() {
        diff.field("indexes", old, new)
    } else {
        let how = format!(
            "makes index {} anew: no queries of it meanwhile",
            anew.join(", ")
        );
        diff.interrupting("indexes", old, new, &how)
    };
    diff.field(
        "deletion_protection",
        yes_no(live.deletion_protection),
        yes_no(table.deletion_protection),
    )
}

/// Names of indexes that have to be deleted and made anew.
fn rebuilt<'a>(table: &'a Table, live: &Live) -> Vec<&'a str> {
    let indexes = table.indexes.iter();
    let indexes = indexes.filter(|(name, wanted)| {
        let there = live.indexes.get(*name);
        there.is_some_and(|there| !there.is_like(wanted))
    });
    indexes.map(|(name, _)| name.as_str()).collect()
}

fn listed(indexes: &BTreeMap<String, Index>) -> Shown {
    let one = |(name, index): (&String, &Index)| format!("{name}: {index}");
    let all: Vec<String> = indexes.iter().map(one).collect();
    Shown::of(all.join("; "))
}
