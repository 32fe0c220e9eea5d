//! The protocols that AWS's services speak, and how each says that something went wrong.

use axum::http::HeaderMap;

use super::xml::escape;

const REQUEST: &str = "00000000-0000-4000-8000-000000000000";

/// A protocol: <https://smithy.io/2.0/aws/protocols/index.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A form in, XML out, with EC2's own errors.
    Ec2,
    /// A form in, XML out.
    Query,
    /// JSON in and out, the operation in a header.
    Json,
    /// The operation in method and path, JSON in and out.
    RestJson,
    /// The operation in method and path, XML in and out.
    RestXml,
    /// The same with S3's own errors.
    S3,
    /// CBOR in and out, the operation in the path.
    Cbor,
}

impl Protocol {
    /// The protocol in which a service is asked.
    pub(crate) fn of(service: &str, headers: &HeaderMap) -> Self {
        if headers
            .get("smithy-protocol")
            .is_some_and(|it| it == "rpc-v2-cbor")
        {
            return Self::Cbor;
        }
        if headers.contains_key("x-amz-target") {
            return Self::Json;
        }
        match service {
            "ec2" => Self::Ec2,
            "s3" => Self::S3,
            "route53" => Self::RestXml,
            "scheduler" => Self::RestJson,
            _ => Self::Query,
        }
    }

    /// Content type and body of an error.
    pub(crate) fn error(self, status: u16, code: &str, message: &str) -> (&'static str, Vec<u8>) {
        let (plain_code, plain_message) = (code, message);
        let (code, message) = (escape(code), escape(message));
        let named = format!("<Code>{code}</Code><Message>{message}</Message>");
        let text = match self {
            Self::Ec2 => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>{named}</Error></Errors><RequestID>{REQUEST}</RequestID></Response>"
            ),
            Self::Query | Self::RestXml => {
                let side = if status < 500 { "Sender" } else { "Receiver" };
                format!(
                    "<ErrorResponse><Error><Type>{side}</Type>{named}</Error><RequestId>{REQUEST}</RequestId></ErrorResponse>"
                )
            }
            Self::S3 => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{named}<RequestId>{REQUEST}</RequestId></Error>"
            ),
            Self::Json | Self::RestJson => {
                serde_json::json!({ "__type": plain_code, "message": plain_message }).to_string()
            }
            Self::Cbor => {
                let mut body = vec![0xbf];
                for text in ["__type", plain_code, "message", plain_message] {
                    cbor_text(&mut body, text);
                }
                body.push(0xff);
                return ("application/cbor", body);
            }
        };
        let kind = match self {
            Self::Ec2 => "text/xml;charset=UTF-8",
            Self::Query | Self::RestXml => "text/xml",
            Self::S3 => "application/xml",
            Self::Json => "application/x-amz-json-1.1",
            Self::RestJson | Self::Cbor => "application/json",
        };
        (kind, text.into_bytes())
    }
}

/// A text as CBOR has it: <https://www.rfc-editor.org/rfc/rfc8949#section-3.1>.
fn cbor_text(out: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or_default();
    out.push(0x7a);
    out.extend(length.to_be_bytes());
    out.extend(text.bytes());
}

/// Status, code and message by which a service refuses a caller that asks too often.
pub(crate) fn throttled(service: &str, action: &str) -> (u16, &'static str, &'static str) {
    let data = [
        "Get",
        "Put",
        "Query",
        "Scan",
        "Batch",
        "UpdateItem",
        "DeleteItem",
    ];
    let is_data = data.iter().any(|verb| action.starts_with(verb));
    match service {
        // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
        "ec2" => (503, "RequestLimitExceeded", "Request limit exceeded."),
        // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        "s3" => (503, "SlowDown", "Please reduce your request rate."),
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
        // https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
        "dynamodb" | "kinesis" if is_data => (
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput was exceeded.",
        ),
        // https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html
        "kinesis" => (400, "LimitExceededException", "Rate exceeded"),
        // https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
        "tagging" => (400, "ThrottledException", "Rate exceeded"),
        // https://docs.aws.amazon.com/scheduler/latest/APIReference/CommonErrors.html
        "scheduler" => (429, "ThrottlingException", "Rate exceeded"),
        // The common errors of the query services, such as
        // https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
        "iam" | "elasticloadbalancing" | "autoscaling" | "sns" | "route53" | "monitoring" => {
            (400, "Throttling", "Rate exceeded")
        }
        // Those of the JSON services, such as
        // https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html
        _ => (400, "ThrottlingException", "Rate exceeded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_in_the_words_of_the_protocol() {
        let text = |protocol: Protocol| {
            let (kind, body) = protocol.error(400, "Co<de", "why");
            (kind, String::from_utf8_lossy(&body).into_owned())
        };
        assert!(
            text(Protocol::Ec2)
                .1
                .contains("<Errors><Error><Code>Co&lt;de</Code>")
        );
        assert!(
            text(Protocol::Query)
                .1
                .contains("<Type>Sender</Type><Code>")
        );
        assert!(text(Protocol::S3).1.contains("\n<Error><Code>"));
        assert_eq!(
            text(Protocol::Json).1,
            r#"{"__type":"Co<de","message":"why"}"#
        );
        let (kind, body) = Protocol::Cbor.error(400, "C", "w");
        assert_eq!(kind, "application/cbor");
        assert_eq!(&body[..12], b"\xbf\x7a\0\0\0\x06__type");
    }
}
