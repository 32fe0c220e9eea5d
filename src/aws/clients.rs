//! The SDK's clients, made once.

/// One client per service in use; cheap to clone.
#[derive(Clone)]
pub struct Clients {
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// STS.
    pub sts: aws_sdk_sts::Client,
}
