//! Secret values that AWS keeps: `SecureString` parameters and secrets of the Secrets Manager.

use aws_sdk_ssm::types::{ParameterMetadata, ParameterStringFilter, ParameterTier, ParameterType};

use super::{Clients, is_code, refused};
use crate::base::{Error, Result, Secret};

/// Which service keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// The Systems Manager parameter store.
    Parameters,
    /// The Secrets Manager.
    Secrets,
}

impl Store {
    /// What one of its values is called.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Parameters => "parameter",
            Self::Secrets => "secret",
        }
    }
}

/// The value of that name, decrypted; `None` when there is nothing of that name. Whoever asks wants to
/// see it: the value is not masked in what is printed.
///
/// # Errors
/// What AWS refuses, and values that are no text.
pub async fn read(aws: &Clients, store: Store, name: &str) -> Result<Option<Secret>> {
    let value = match store {
        Store::Parameters => {
            let call = aws.ssm.get_parameter().name(name).with_decryption(true);
            let told = call.send().await.map_err(refused("ssm:GetParameter"));
            let told = known(told, &["ParameterNotFound", "ParameterVersionNotFound"])?;
            told.and_then(|told| told.parameter).and_then(|it| it.value)
        }
        Store::Secrets => {
            let call = aws.secrets.get_secret_value().secret_id(name).send();
            let told = call.await.map_err(refused("secretsmanager:GetSecretValue"));
            let told = known(told, &["ResourceNotFoundException"])?;
            if told.as_ref().is_some_and(|it| it.secret_binary.is_some()) {
                return Err(Error::failed(format!("the secret `{name}` is no text"))
                    .hint("`aws secretsmanager get-secret-value` shows its bytes in Base64"));
            }
            told.and_then(|told| told.secret_string)
        }
    };
    Ok(value.map(Secret::unremembered))
}

/// Gives what is there a new value; false when there is nothing of that name. All else of it stays.
///
/// # Errors
/// What AWS refuses, and parameters that are not encrypted.
pub async fn write(aws: &Clients, store: Store, name: &str, value: &Secret) -> Result<bool> {
    match store {
        Store::Parameters => {
            let Some(old) = parameter(aws, name).await? else {
                return Ok(false);
            };
            if old.r#type != Some(ParameterType::SecureString) {
                let kind = old.r#type.as_ref().map_or("String", ParameterType::as_str);
                let text = format!("the parameter `{name}` is a `{kind}`, which is not encrypted");
                return Err(Error::failed(text).hint(
                    "write its value in the playbook, or make another one with `type: SecureString`",
                ));
            }
            // What is not said again is as in a new parameter.
            let call = aws.ssm.put_parameter().name(name).overwrite(true);
            let call = call
                .r#type(ParameterType::SecureString)
                .value(value.expose())
                .set_tier(old.tier.filter(|tier| *tier == ParameterTier::Advanced))
                .set_key_id(old.key_id)
                .set_description(old.description)
                .set_allowed_pattern(old.allowed_pattern)
                .set_data_type(old.data_type);
            let done = call.send().await.map_err(refused("ssm:PutParameter"));
            done.map(|_| true)
        }
        Store::Secrets => {
            let call = aws.secrets.put_secret_value().secret_id(name);
            let call = call.secret_string(value.expose()).send().await;
            let done = call.map_err(refused("secretsmanager:PutSecretValue"));
            Ok(known(done, &["ResourceNotFoundException"])?.is_some())
        }
    }
}

/// Makes one, encrypted with the account's own key; false when that name is taken.
///
/// # Errors
/// What AWS refuses.
pub async fn make(aws: &Clients, store: Store, name: &str, value: &Secret) -> Result<bool> {
    let made = match store {
        Store::Parameters => {
            let call = aws.ssm.put_parameter().name(name);
            let call = call
                .r#type(ParameterType::SecureString)
                .value(value.expose());
            let made = call.send().await.map_err(refused("ssm:PutParameter"));
            known(made.map(drop), &["ParameterAlreadyExists"])?
        }
        Store::Secrets => {
            let call = aws.secrets.create_secret().name(name);
            let made = call.secret_string(value.expose()).send().await;
            let made = made.map_err(refused("secretsmanager:CreateSecret"));
            known(made.map(drop), &["ResourceExistsException"])?
        }
    };
    Ok(made.is_some())
}

async fn parameter(aws: &Clients, name: &str) -> Result<Option<ParameterMetadata>> {
    let filter = ParameterStringFilter::builder().key("Name");
    let filter = filter.option("Equals").values(name).build();
    let filter = filter.map_err(|error| Error::failed(format!("asking for `{name}`: {error}")))?;
    let call = aws.ssm.describe_parameters().parameter_filters(filter);
    // A page may be empty and not be the last.
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(refused("ssm:DescribeParameters"))?;
        if let Some(found) = page.parameters.into_iter().flatten().next() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// `None` when AWS says that there is no such thing, or that there is one already.
fn known<T>(told: Result<T>, codes: &[&str]) -> Result<Option<T>> {
    match told {
        Ok(told) => Ok(Some(told)),
        Err(error) if codes.iter().any(|code| is_code(&error, code)) => Ok(None),
        Err(error) => Err(error),
    }
}
