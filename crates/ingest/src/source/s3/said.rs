//! What S3 says of an object when it gives its bytes, as fields with their source (spec/fields.md).

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;

use super::time;
use crate::source::Attribute;

/// Says how many tags an object has.
pub(super) const TAGGING_COUNT: &str = "x-amz-tagging-count";

/// The checksums that S3 keeps of an object: their names, as their headers call them, and their base64.
pub(super) fn checksums(answer: &GetObjectOutput) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("sha256", answer.checksum_sha256()),
        ("sha512", answer.checksum_sha512()),
        ("sha1", answer.checksum_sha1()),
        ("md5", answer.checksum_md5()),
        ("crc64nvme", answer.checksum_crc64_nvme()),
        ("crc32c", answer.checksum_crc32_c()),
        ("crc32", answer.checksum_crc32()),
        ("xxhash128", answer.checksum_xxhash128()),
        ("xxhash64", answer.checksum_xxhash64()),
        ("xxhash3", answer.checksum_xxhash3()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

/// Lock and hold, as far as the answer to HEAD shows them.
pub(super) fn lock(answer: &HeadObjectOutput) -> Vec<Attribute> {
    let hold = answer.object_lock_legal_hold_status().map(|status| status.as_str().to_owned());
    let mode = answer.object_lock_mode().map(|mode| mode.as_str().to_owned());
    let until = answer.object_lock_retain_until_date().map(time);
    let all = [("legal-hold", hold), ("mode", mode), ("retain-until", until)];
    let told = all.into_iter().filter_map(|(name, value)| {
        Some(Attribute { source: "object-lock", name: name.to_owned(), value: value? })
    });
    told.collect()
}

/// All of it: version, checksums, headers, lock, user metadata.
pub(super) fn attributes(answer: &GetObjectOutput) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    let mut put = |source: &'static str, name: &str, value: Option<&str>| {
        let value = value.map(str::to_owned);
        attributes.extend(value.map(|value| Attribute { source, name: name.to_owned(), value }));
    };
    put("object", "version", answer.version_id());
    for (name, value) in checksums(answer) {
        put("s3-checksum", name, Some(value));
    }
    put("s3-checksum", "type", answer.checksum_type().map(|kind| kind.as_str()));
    let number = |number: Option<i32>| number.map(|number| number.to_string());
    let expires = answer.expires_string();
    for (name, value) in [
        ("cache-control", answer.cache_control()),
        ("content-disposition", answer.content_disposition()),
        ("content-encoding", answer.content_encoding()),
        ("content-language", answer.content_language()),
        ("content-type", answer.content_type()),
        ("expires", expires),
        ("x-amz-expiration", answer.expiration()),
        ("x-amz-restore", answer.restore()),
        ("x-amz-website-redirect-location", answer.website_redirect_location()),
        ("x-amz-storage-class", answer.storage_class().map(|class| class.as_str())),
        ("x-amz-replication-status", answer.replication_status().map(|status| status.as_str())),
        ("x-amz-server-side-encryption", answer.server_side_encryption().map(|how| how.as_str())),
        ("x-amz-server-side-encryption-aws-kms-key-id", answer.ssekms_key_id()),
        ("x-amz-server-side-encryption-customer-algorithm", answer.sse_customer_algorithm()),
    ] {
        put("s3-header", name, value);
    }
    for (name, value) in [
        ("x-amz-missing-meta", number(answer.missing_meta())),
        ("x-amz-mp-parts-count", number(answer.parts_count())),
        (TAGGING_COUNT, number(answer.tag_count())),
    ] {
        put("s3-header", name, value.as_deref());
    }
    let hold = answer.object_lock_legal_hold_status();
    put("object-lock", "legal-hold", hold.map(|status| status.as_str()));
    put("object-lock", "mode", answer.object_lock_mode().map(|mode| mode.as_str()));
    let until = answer.object_lock_retain_until_date().map(time);
    put("object-lock", "retain-until", until.as_deref());
    let mut metadata: Vec<_> = answer.metadata().into_iter().flatten().collect();
    metadata.sort();
    for (name, value) in metadata {
        put("s3-header", &format!("x-amz-meta-{}", name.to_lowercase()), Some(value));
    }
    attributes
}
