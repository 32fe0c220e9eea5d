//! An elastic IP that is associated cannot be released.

use super::Rule;
use super::rule::{Refusal, refuse};
use crate::base::Result;
use crate::sandbox::front::{Call, Front};

pub(super) const RULES: &[Rule] = &[Rule {
    actions: &["ReleaseAddress"],
    code: "InvalidIPAddress.InUse",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html",
    refuse: |front, call| Box::pin(while_associated(front, call)),
}];

async fn while_associated(front: &Front, call: &Call) -> Result<Option<Refusal>> {
    let mut params = call.params.clone();
    front.addresses.translate_request(&mut params);
    let (allocation, address) = (params.value("AllocationId"), params.value("PublicIp"));
    if allocation.is_none() && address.is_none() {
        return Ok(None);
    }
    // An unknown one is for the emulator to refuse.
    let associated = front
        .cloud
        .associated(&call.region, allocation, address)
        .await;
    Ok(associated.ok().flatten().map(|_| {
        refuse(format!(
            "Address {} is in use.",
            allocation.or(address).unwrap_or_default()
        ))
    }))
}
