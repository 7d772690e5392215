//! Examines a bucket before an ingest has to: what may be read of it, what its settings keep, what the evidence
//! loses without it, and the permission or setting that mends it.

use unbroken_container::s3::{Bounded, Download, Failure, Wanted};

use super::rights::{Named, Readable, Rights};
use super::{S3Source, listing, versions};
use crate::source::Listed;

/// One thing that was examined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was asked.
    pub what: &'static str,
    /// How it stands.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What the evidence loses, where it is not well.
    pub costs: &'static str,
    /// What mends it.
    pub remedy: String,
}

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Good,
    /// Something is lost.
    Bad,
    /// Nothing is lost now, and more could be kept.
    Advice,
    /// It could not be found out.
    Unknown,
}

impl Health {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Advice => "advice",
            Self::Unknown => "not known",
        }
    }
}

fn check(what: &'static str, health: Health, found: impl Into<String>) -> Check {
    Check { what, health, found: found.into(), costs: "", remedy: String::new() }
}

const NOTHING: &str = "nothing can be sealed";

impl S3Source {
    /// Examines the bucket by asking as an ingest asks; reads one byte of one object, and writes nothing.
    #[must_use]
    pub fn examine(&self) -> Vec<Check> {
        let sample = match self.sample() {
            Ok(sample) => sample,
            Err(failure) => {
                let (costs, remedy) = (NOTHING, self.list_error(&failure).hint().to_owned());
                let found = failure.to_string();
                return vec![Check { costs, remedy, ..check("listing", Health::Bad, found) }];
            }
        };
        let mut checks = vec![check("listing", Health::Good, "s3:ListBucket is granted")];
        match sample {
            None => checks.push(Check {
                costs: "what may be read of an object is not known",
                remedy: "run it again when there is an object that can be read".to_owned(),
                ..check(
                    "reading",
                    Health::Unknown,
                    "there is no object to ask for below this prefix",
                )
            }),
            Some(sample) => checks.extend(self.examine_object(&sample)),
        }
        checks.extend([self.earlier_versions(), self.versioning(), self.lock()]);
        checks
    }

    /// The first object that can be read.
    fn sample(&self) -> Result<Option<Listed>, Failure> {
        let page = listing::page(self, &listing::From::Beginning)?;
        let mut objects = page.contents().iter().map(|object| listing::listed(object, &page));
        Ok(objects.find(|listed| listed.not_readable.is_none() && listed.size > 0))
    }

    fn examine_object(&self, sample: &Listed) -> Vec<Check> {
        let key = String::from_utf8_lossy(&sample.key).into_owned();
        let wanted = Wanted {
            bucket: self.bucket.clone(),
            key: key.clone(),
            version: String::new(),
            etag: sample.etag.clone(),
        };
        let connection = &self.connection;
        let download = match connection.runtime.block_on(Download::open(&connection.s3, wanted)) {
            Ok(download) => download,
            Err(failure) => {
                let needs = "grant s3:GetObject, and s3:GetObjectVersion where there are versions";
                let remedy = match failure {
                    Failure::Denied(_) => needs.to_owned(),
                    _ => failure.hint().to_owned(),
                };
                let found = failure.to_string();
                return vec![Check {
                    costs: NOTHING,
                    remedy,
                    ..check("reading", Health::Bad, found)
                }];
            }
        };
        let mut checks = vec![check("reading", Health::Good, "s3:GetObject is granted")];
        let version = download.answer().version_id().unwrap_or_default().to_owned();
        checks.extend(self.reading_a_version(&key, &version));
        checks.push(
            match super::reader::compared_with(download.answer(), connection.etags_are_md5) {
                Some(name) => {
                    check("checksum", Health::Good, format!("bytes are compared with {name}"))
                }
                None => Check {
                    costs: "bytes that are damaged on their way here are sealed as they arrive",
                    remedy:
                        "have objects stored with a checksum of the whole: CRC64NVME, or SHA-256"
                            .to_owned(),
                    ..check(
                        "checksum",
                        Health::Advice,
                        "S3 keeps nothing to compare the bytes with",
                    )
                },
            },
        );
        let named = Named { bucket: &self.bucket, key: &key, version: &version };
        match self.rights.of(connection, named) {
            Ok(rights) => checks.extend(readable(&rights)),
            Err(failure) => {
                checks.push(check("tags, holds, retention", Health::Unknown, failure.to_string()))
            }
        }
        checks
    }

    /// An exhibit packs the version that was sealed.
    fn reading_a_version(&self, key: &str, version: &str) -> Option<Check> {
        if version.is_empty() {
            return None;
        }
        let wanted = Wanted {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            version: version.to_owned(),
            etag: String::new(),
        };
        let opened = self.connection.runtime.block_on(Download::open(&self.connection.s3, wanted));
        Some(match opened {
            Ok(_) => check("versions", Health::Good, "s3:GetObjectVersion is granted"),
            Err(failure) => Check {
                costs: "an overwritten or deleted recording cannot be packed, though its version is there",
                remedy: "grant s3:GetObjectVersion".to_owned(),
                ..check("versions", Health::Bad, failure.to_string())
            },
        })
    }

    /// `--all-versions` lists them.
    fn earlier_versions(&self) -> Check {
        let costs = "what was overwritten or deleted before a run saw it is not sealed, --all-versions or not";
        match versions::page(self, &versions::Marker::default()) {
            Ok(_) => check("earlier versions", Health::Good, "s3:ListBucketVersions is granted"),
            Err(failure @ Failure::Denied(_)) => Check {
                costs,
                remedy: "grant s3:ListBucketVersions, and run with --all-versions".to_owned(),
                ..check("earlier versions", Health::Advice, failure.to_string())
            },
            Err(failure) => {
                setting_not_known("earlier versions", &failure, "s3:ListBucketVersions")
            }
        }
    }

    fn versioning(&self) -> Check {
        let s3 = &self.connection.s3;
        let asked = self.connection.runtime.block_on(s3.insist(|| {
            s3.client
                .get_bucket_versioning()
                .bucket(&self.bucket)
                .customize()
                .interceptor(Bounded)
                .send()
        }));
        let costs = "an export happens once: what is overwritten or deleted is gone for ever";
        match asked {
            Ok(answer) if answer.status().is_some_and(|status| status.as_str() == "Enabled") => {
                check("versioning", Health::Good, "the bucket keeps every version")
            }
            Ok(_) => Check {
                costs,
                remedy: "switch versioning on: `aws s3api put-bucket-versioning`".to_owned(),
                ..check("versioning", Health::Advice, "the bucket keeps no versions")
            },
            Err(failure) => setting_not_known("versioning", &failure, "s3:GetBucketVersioning"),
        }
    }

    fn lock(&self) -> Check {
        let s3 = &self.connection.s3;
        let asked = self.connection.runtime.block_on(s3.insist(|| {
            let request = s3.client.get_object_lock_configuration().bucket(&self.bucket);
            request.customize().interceptor(Bounded).send()
        }));
        match asked {
            Ok(_) => check("Object Lock", Health::Good, "the bucket has Object Lock"),
            Err(Failure::NotSet | Failure::NoLocks) => Check {
                costs: "whoever may delete in this bucket can delete a recording under hold",
                remedy: "switch Object Lock on, and set a retention".to_owned(),
                ..check("Object Lock", Health::Advice, "the bucket has no Object Lock")
            },
            Err(failure) => {
                setting_not_known("Object Lock", &failure, "s3:GetBucketObjectLockConfiguration")
            }
        }
    }
}

fn setting_not_known(what: &'static str, failure: &Failure, permission: &str) -> Check {
    let remedy = format!("to have it examined grant {permission}; an ingest does not need it");
    let costs = "nothing of what is sealed";
    Check { costs, remedy, ..check(what, Health::Unknown, failure.to_string()) }
}

fn readable(rights: &Rights) -> Vec<Check> {
    let all = [
        (
            "tags",
            &rights.tags,
            "no tag is seen, a matter's number say, and none is proven to be absent",
        ),
        ("legal holds", &rights.hold, "no hold is seen, and none is proven to be absent"),
        ("retention", &rights.retention, "no lock is seen, and none is proven to be absent"),
    ];
    let checked = all.into_iter().map(|(what, readable, costs)| match readable {
        Readable::Yes | Readable::IfAsked => check(what, Health::Good, "they can be read"),
        Readable::Denied(permission) => {
            let remedy = format!("grant {permission}");
            Check { costs, remedy, ..check(what, Health::Bad, format!("{permission} is missing")) }
        }
        Readable::Unknown(why) => Check { costs, ..check(what, Health::Unknown, why.clone()) },
    });
    checked.collect()
}
