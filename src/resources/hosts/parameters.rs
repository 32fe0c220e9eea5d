//! The values of parameters that operations need, read when they need them and not before.

use std::collections::BTreeMap;

use crate::aws::refused;
use crate::base::{Error, Result, Secret};
use crate::contract::{Context, Fact};
use crate::operations::Declared;
use crate::operations::round::Seen;

/// The most names in one `GetParameters`.
const READ: usize = 10;

/// Adds the values to what was seen, for the operations that need them.
pub(super) async fn add(cx: &Context, declared: &[Declared], seen: &mut Seen) -> Result<()> {
    let mut wanted = Vec::new();
    for (index, (item, facts)) in declared.iter().zip(&seen.facts).enumerate() {
        if let (Some(operation), Some(facts)) = (&item.operation, facts) {
            let names = operation.parameters(facts).into_iter();
            wanted.extend(names.map(|name| (index, name)));
        }
    }
    let mut names: Vec<String> = wanted.iter().map(|(_, name)| name.clone()).collect();
    names.sort();
    names.dedup();
    let mut values = BTreeMap::new();
    for names in names.chunks(READ) {
        let call = cx.aws.ssm.get_parameters().with_decryption(true);
        let told = call.set_names(Some(names.to_vec())).send().await;
        let told = told.map_err(refused("ssm:GetParameters"))?.parameters;
        let pairs = told.into_iter().flatten();
        values.extend(pairs.filter_map(|it| Some((it.name?, Secret::from(it.value?)))));
    }
    for (index, name) in wanted {
        let Some(value) = values.get(&name) else {
            let missing = Error::failed(format!("there is no parameter `{name}`"));
            let hint =
                "declare it, and let the host come after it: `depends_on: [parameters.NAME]`";
            return Err(missing.at(&declared[index].node.at).hint(hint));
        };
        if let Some(Some(facts)) = seen.facts.get_mut(index) {
            let stdout = value.expose().as_bytes().to_vec();
            facts.push(Fact { status: 0, stdout });
        }
    }
    Ok(())
}
