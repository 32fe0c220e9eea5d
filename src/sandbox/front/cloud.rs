//! What the rules ask the emulator: typed questions, plain answers.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::{BehaviorVersion, Region, retry::RetryConfig};
use aws_sdk_ec2::error::DisplayErrorContext;
use aws_sdk_ec2::operation::describe_instances::builders::DescribeInstancesFluentBuilder;
use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, InstanceAttributeName};

use crate::base::{Error, Result};
use crate::sandbox::place::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

/// An instance as the emulator has it, with the emulator's addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    /// Its id.
    pub(crate) id: String,
    /// Its state's name.
    pub(crate) state: String,
    /// The image it was started from.
    pub(crate) image: String,
    /// Its own address.
    pub(crate) private: Option<Ipv4Addr>,
    /// Its public or elastic address.
    pub(crate) public: Option<Ipv4Addr>,
    /// ARN of its instance profile.
    pub(crate) profile: Option<String>,
    /// Its availability zone.
    pub(crate) zone: String,
    /// Its type, such as `t3a.small`.
    pub(crate) instance_type: String,
    /// The name of its key pair.
    pub(crate) key: Option<String>,
}

/// Asks the emulator directly, past the front; cheap to clone.
#[derive(Clone)]
pub(crate) struct Cloud {
    endpoint: String,
    clients: Arc<Mutex<HashMap<String, Client>>>,
}

fn failed<E: std::error::Error>(what: &str, cause: &E) -> Error {
    Error::failed(format!("{what}: {}", DisplayErrorContext(cause)))
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

impl Cloud {
    /// An emulator at `endpoint`.
    pub(crate) fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            clients: Arc::default(),
        }
    }

    fn ec2(&self, region: &str) -> Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .entry(region.to_owned())
            .or_insert_with(|| {
                let keys =
                    Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "sandbox");
                let config = aws_sdk_ec2::Config::builder()
                    .behavior_version(BehaviorVersion::v2026_01_12())
                    .region(Region::new(region.to_owned()))
                    .endpoint_url(&self.endpoint)
                    .credentials_provider(keys)
                    .retry_config(RetryConfig::disabled())
                    .build();
                Client::from_conf(config)
            })
            .clone()
    }

    /// The emulator's IAM.
    pub(crate) fn iam(&self, region: &str) -> aws_sdk_iam::Client {
        let keys = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "sandbox");
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.to_owned()))
            .endpoint_url(&self.endpoint)
            .credentials_provider(keys)
            .retry_config(RetryConfig::disabled())
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }

    /// The emulator's ECR.
    pub(crate) fn ecr(&self, region: &str) -> aws_sdk_ecr::Client {
        let keys = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "sandbox");
        let config = aws_sdk_ecr::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.to_owned()))
            .endpoint_url(&self.endpoint)
            .credentials_provider(keys)
            .retry_config(RetryConfig::disabled())
            .build();
        aws_sdk_ecr::Client::from_conf(config)
    }

    /// The instances of those ids, or all when none is given, or those in a security group.
    pub(crate) async fn machines(
        &self,
        region: &str,
        ids: &[String],
        group: Option<&str>,
    ) -> Result<Vec<Machine>> {
        let request = self.ec2(region).describe_instances();
        Self::listed(match group {
            Some(group) => request.filters(filter("instance.group-id", group)),
            None => request.set_instance_ids((!ids.is_empty()).then(|| ids.to_vec())),
        })
        .await
    }

    /// The instances that Auto Scaling groups made.
    pub(crate) async fn members(&self, region: &str) -> Result<Vec<Machine>> {
        let made = filter("tag-key", "aws:autoscaling:groupName");
        Self::listed(self.ec2(region).describe_instances().filters(made)).await
    }

    async fn listed(request: DescribeInstancesFluentBuilder) -> Result<Vec<Machine>> {
        let mut machines = Vec::new();
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|cause| failed("asking for instances", &cause))?;
            let instances = page.reservations.unwrap_or_default().into_iter();
            for instance in
                instances.flat_map(|reservation| reservation.instances.unwrap_or_default())
            {
                let address = |text: Option<String>| text.and_then(|text| text.parse().ok());
                machines.push(Machine {
                    state: instance
                        .state
                        .and_then(|state| state.name)
                        .map(|name| name.as_str().to_owned())
                        .unwrap_or_default(),
                    id: instance.instance_id.unwrap_or_default(),
                    image: instance.image_id.unwrap_or_default(),
                    private: address(instance.private_ip_address),
                    public: address(instance.public_ip_address),
                    profile: instance.iam_instance_profile.and_then(|it| it.arn),
                    zone: instance
                        .placement
                        .and_then(|it| it.availability_zone)
                        .unwrap_or_default(),
                    instance_type: instance
                        .instance_type
                        .map(|it| it.as_str().to_owned())
                        .unwrap_or_default(),
                    key: instance.key_name,
                });
            }
        }
        Ok(machines)
    }

    /// The user data that an instance was made with, base64.
    pub(crate) async fn user_data(&self, region: &str, id: &str) -> Result<String> {
        let ask = self.ec2(region).describe_instance_attribute();
        let ask = ask
            .instance_id(id)
            .attribute(InstanceAttributeName::UserData);
        let answer = ask.send().await;
        let answer = answer.map_err(|cause| failed("asking for user data", &cause))?;
        Ok(answer.user_data.and_then(|it| it.value).unwrap_or_default())
    }

    /// The name of the key pair that has this id.
    pub(crate) async fn key_name(&self, region: &str, id: &str) -> Result<Option<String>> {
        let answer = self.ec2(region).describe_key_pairs().send().await;
        let answer = answer.map_err(|cause| failed("asking for key pairs", &cause))?;
        let pairs = answer.key_pairs.unwrap_or_default().into_iter();
        let mut found = pairs.filter(|pair| pair.key_pair_id.as_deref() == Some(id));
        Ok(found.next().and_then(|pair| pair.key_name))
    }

    /// The public key of a key pair, in OpenSSH's form.
    pub(crate) async fn public_key(&self, region: &str, name: &str) -> Result<Option<String>> {
        let answer = self
            .ec2(region)
            .describe_key_pairs()
            .key_names(name)
            .include_public_key(true)
            .send()
            .await
            .map_err(|cause| failed("asking for a key pair", &cause))?;
        Ok(answer
            .key_pairs()
            .first()
            .and_then(|pair| pair.public_key.clone()))
    }

    /// Turns termination protection on.
    pub(crate) async fn protect(&self, region: &str, id: &str) -> Result<()> {
        self.ec2(region)
            .modify_instance_attribute()
            .instance_id(id)
            .disable_api_termination(AttributeBooleanValue::builder().value(true).build())
            .send()
            .await
            .map_err(|cause| failed("protecting an instance", &cause))?;
        Ok(())
    }

    /// Ends an instance whose host did not start.
    pub(crate) async fn terminate(&self, region: &str, id: &str) -> Result<()> {
        self.ec2(region)
            .terminate_instances()
            .instance_ids(id)
            .send()
            .await
            .map_err(|cause| failed("terminating an instance", &cause))?;
        Ok(())
    }

    /// Gives instances their elastic IPs again, which the emulator takes away at a stop or start.
    pub(crate) async fn reassociate(&self, region: &str, instances: &[String]) -> Result<()> {
        let ec2 = self.ec2(region);
        let answer = ec2
            .describe_addresses()
            .filters(
                Filter::builder()
                    .name("instance-id")
                    .set_values(Some(instances.to_vec()))
                    .build(),
            )
            .send()
            .await
            .map_err(|cause| failed("asking for addresses", &cause))?;
        for address in answer.addresses() {
            ec2.associate_address()
                .set_allocation_id(address.allocation_id.clone())
                .set_instance_id(address.instance_id.clone())
                .allow_reassociation(true)
                .send()
                .await
                .map_err(|cause| failed("associating an address", &cause))?;
        }
        Ok(())
    }

    /// Takes elastic IPs and network interfaces from an instance that was terminated.
    pub(crate) async fn release_from(&self, region: &str, instance: &str) -> Result<()> {
        let ec2 = self.ec2(region);
        let answer = ec2
            .describe_addresses()
            .filters(filter("instance-id", instance))
            .send()
            .await
            .map_err(|cause| failed("asking for addresses", &cause))?;
        for address in answer.addresses() {
            ec2.disassociate_address()
                .set_association_id(address.association_id.clone())
                .send()
                .await
                .map_err(|cause| failed("disassociating an address", &cause))?;
        }
        let answer = ec2
            .describe_network_interfaces()
            .filters(filter("attachment.instance-id", instance))
            .send()
            .await
            .map_err(|cause| failed("asking for network interfaces", &cause))?;
        for interface in answer.network_interfaces() {
            ec2.delete_network_interface()
                .set_network_interface_id(interface.network_interface_id.clone())
                .send()
                .await
                .map_err(|cause| failed("deleting a network interface", &cause))?;
        }
        Ok(())
    }

    /// Puts the interfaces of an instance into security groups.
    pub(crate) async fn regroup(
        &self,
        region: &str,
        instance: &str,
        groups: &[String],
    ) -> Result<()> {
        let ec2 = self.ec2(region);
        let answer = ec2
            .describe_network_interfaces()
            .filters(filter("attachment.instance-id", instance))
            .send()
            .await
            .map_err(|cause| failed("asking for network interfaces", &cause))?;
        for interface in answer.network_interfaces() {
            ec2.modify_network_interface_attribute()
                .set_network_interface_id(interface.network_interface_id.clone())
                .set_groups(Some(groups.to_vec()))
                .send()
                .await
                .map_err(|cause| failed("putting a network interface into groups", &cause))?;
        }
        Ok(())
    }

    /// Network interfaces in a security group, each with the instance it is attached to.
    pub(crate) async fn interfaces_in(
        &self,
        region: &str,
        group: &str,
    ) -> Result<Vec<(String, Option<String>)>> {
        let answer = self
            .ec2(region)
            .describe_network_interfaces()
            .filters(filter("group-id", group))
            .send()
            .await
            .map_err(|cause| failed("asking for network interfaces", &cause))?;
        let interfaces = answer.network_interfaces.unwrap_or_default();
        Ok(interfaces
            .into_iter()
            .map(|interface| {
                let instance = interface
                    .attachment
                    .and_then(|attached| attached.instance_id);
                (interface.network_interface_id.unwrap_or_default(), instance)
            })
            .collect())
    }

    /// The id of a security group that is given by name.
    pub(crate) async fn group_id(&self, region: &str, name: &str) -> Result<Option<String>> {
        let answer = self
            .ec2(region)
            .describe_security_groups()
            .filters(filter("group-name", name))
            .send()
            .await
            .map_err(|cause| failed("asking for a security group", &cause))?;
        Ok(answer
            .security_groups()
            .first()
            .and_then(|group| group.group_id.clone()))
    }

    /// Other security groups whose rules refer to this one.
    pub(crate) async fn groups_that_name(&self, region: &str, group: &str) -> Result<Vec<String>> {
        let answer = self
            .ec2(region)
            .describe_security_groups()
            .send()
            .await
            .map_err(|cause| failed("asking for security groups", &cause))?;
        let names = |permissions: &[aws_sdk_ec2::types::IpPermission]| {
            let mut pairs = permissions
                .iter()
                .flat_map(aws_sdk_ec2::types::IpPermission::user_id_group_pairs);
            pairs.any(|pair| pair.group_id() == Some(group))
        };
        Ok(answer
            .security_groups()
            .iter()
            .filter(|other| other.group_id() != Some(group))
            .filter(|other| names(other.ip_permissions()) || names(other.ip_permissions_egress()))
            .filter_map(|other| other.group_id.clone())
            .collect())
    }

    /// Whether an elastic IP is associated: its address when it is. Found by allocation or address.
    pub(crate) async fn associated(
        &self,
        region: &str,
        allocation: Option<&str>,
        address: Option<&str>,
    ) -> Result<Option<String>> {
        let answer = self
            .ec2(region)
            .describe_addresses()
            .set_allocation_ids(allocation.map(|id| vec![id.to_owned()]))
            .set_public_ips(address.map(|ip| vec![ip.to_owned()]))
            .send()
            .await
            .map_err(|cause| failed("asking for addresses", &cause))?;
        Ok(answer
            .addresses()
            .iter()
            .find(|found| found.association_id().is_some_and(|id| !id.is_empty()))
            .and_then(|found| found.public_ip.clone()))
    }
}
