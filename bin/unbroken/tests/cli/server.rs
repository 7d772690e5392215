//! An S3 server in this process, on loopback: the protocol by the s3s crate, the objects in memory,
//! and faults as they are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object, ObjectVersion, StreamingBlob, Timestamp,
};
use s3s::service::S3ServiceBuilder;
use s3s::{Body, S3, S3Error, S3Request, S3Response, S3Result, s3_error};

/// How an object misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 404, though it is listed.
    Vanished,
    /// 403.
    Denied,
    /// 500, every time.
    Internal,
    /// Two 503s, then it is there.
    SlowDown(u32),
    /// Half the bytes, then the connection ends.
    BrokenOff,
    /// Half the bytes, then nothing, and the connection stays.
    Silent,
    /// Other bytes than were listed.
    Changed,
    /// As it is for so many requests, then 403.
    DeniedAfter(u32),
    /// 403 with this code and message, word for word as AWS writes it.
    Refused(&'static str, &'static str),
    /// It lies in an archive: its storage class in the listing, and 403 to whoever reads it all the same.
    Archived(&'static str),
}

/// How a listing breaks the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// The first page comes a second time, in the place of the next.
    PageTwice,
    /// So does it, with a token that leads behind the page that was left out.
    PageInsteadOfAnother,
    /// The first page, whatever is asked for.
    SamePageForEver,
    /// More follows, and there is no token.
    NoToken,
    /// The same, and the server knows no `start-after`.
    NoTokenNorStart,
    /// Nothing, and more follows.
    EmptyForEver,
    /// The last key of a page stands before its first.
    Unordered,
    /// A page begins again some keys before the last one's end.
    Overlapping,
    /// A key that was not asked for.
    Elsewhere,
    /// The last key of a page is left out.
    Forgets,
    /// One key, and nothing more follows.
    Ends,
}

#[derive(Default)]
struct Contents {
    objects: BTreeMap<String, Vec<u8>>,
    metadata: BTreeMap<String, BTreeMap<String, String>>,
    expirations: BTreeMap<String, String>,
    /// Objects under a legal hold.
    held: BTreeSet<String>,
    /// What the server says that it keeps as SHA-256, in base64, of the whole or of parts.
    kept: BTreeMap<String, (String, &'static str)>,
    faults: BTreeMap<String, Fault>,
    /// Versions in an archive that are not there any more under their keys: key and id.
    archived: BTreeSet<(String, String)>,
    lie: Option<Lie>,
    gets: u64,
    lists: u64,
}

/// The bucket `exports`.
#[derive(Clone, Default)]
pub(crate) struct Bucket {
    contents: Arc<Mutex<Contents>>,
}

pub(crate) const BUCKET: &str = "exports";
pub(crate) const ACCESS_KEY: &str = "AKIAEXAMPLE";
pub(crate) const SECRET_KEY: &str = "a-secret-of-the-tests";
/// Objects a page, so that a few make several pages.
const PAGE: usize = 7;

impl Bucket {
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        self.contents.lock().unwrap().objects.insert(key.to_owned(), bytes.to_vec());
    }

    /// What a lifecycle rule says of an object.
    pub(crate) fn expires(&self, key: &str, when: &str) {
        let said = format!("expiry-date=\"{when}\", rule-id=\"old calls\"");
        self.contents.lock().unwrap().expirations.insert(key.to_owned(), said);
    }

    pub(crate) fn archived_version(&self, key: &str, id: &str) {
        self.contents.lock().unwrap().archived.insert((key.to_owned(), id.to_owned()));
    }

    pub(crate) fn hold(&self, key: &str) {
        self.contents.lock().unwrap().held.insert(key.to_owned());
    }

    /// The server says so, whatever its bytes are.
    pub(crate) fn keeps(&self, key: &str, sha256: &str, kind: &'static str) {
        self.contents.lock().unwrap().kept.insert(key.to_owned(), (sha256.to_owned(), kind));
    }

    pub(crate) fn remove(&self, key: &str) {
        self.contents.lock().unwrap().objects.remove(key);
    }

    pub(crate) fn get(&self, key: &str) -> Vec<u8> {
        self.contents.lock().unwrap().objects[key].clone()
    }

    pub(crate) fn describe(&self, key: &str, name: &str, value: &str) {
        let mut contents = self.contents.lock().unwrap();
        contents
            .metadata
            .entry(key.to_owned())
            .or_default()
            .insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn fail(&self, key: &str, fault: Option<Fault>) {
        let mut contents = self.contents.lock().unwrap();
        match fault {
            Some(fault) => contents.faults.insert(key.to_owned(), fault),
            None => contents.faults.remove(key),
        };
    }

    pub(crate) fn lie(&self, lie: Option<Lie>) {
        self.contents.lock().unwrap().lie = lie;
    }

    pub(crate) fn gets(&self) -> u64 {
        self.contents.lock().unwrap().gets
    }

    /// Serves the bucket until the test ends; gives the endpoint.
    pub(crate) fn serve(&self) -> String {
        let mut builder = S3ServiceBuilder::new(self.clone());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let (socket, _) = listener.accept().await.unwrap();
                    let service = service.clone();
                    tokio::spawn(async move {
                        let _ = Builder::new(TokioExecutor::new())
                            .serve_connection(TokioIo::new(socket), service)
                            .await;
                    });
                }
            });
        });
        format!("http://{}", told.recv().unwrap())
    }
}

/// As S3 makes it of an object that was stored in one part.
fn etag(bytes: &[u8]) -> ETag {
    use md5::Digest as _;
    ETag::Strong(md5::Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

fn modified() -> Timestamp {
    Timestamp::from(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_788_592_744))
}

impl Contents {
    /// The page behind `after`, and whether more follows.
    fn page(&self, prefix: &str, after: &str) -> (Vec<Object>, bool) {
        let is_asked_for = |key: &str| key.starts_with(prefix) && key > after;
        let mut rest = self.objects.iter().filter(|(key, _)| is_asked_for(key));
        let page = rest.by_ref().take(PAGE).map(|(key, bytes)| {
            let class = match self.faults.get(key) {
                Some(Fault::Archived(class)) => Some((*class).to_owned().into()),
                _ => None,
            };
            Object {
                key: Some(key.clone()),
                size: Some(i64::try_from(bytes.len()).unwrap()),
                e_tag: Some(etag(bytes)),
                last_modified: Some(modified()),
                storage_class: class,
                ..Object::default()
            }
        });
        (page.collect(), rest.next().is_some())
    }

    /// The answer to the listing of this number, which may break the rules.
    fn listing(&self, prefix: &str, after: &str, number: u64) -> ListObjectsV2Output {
        let last_of = |page: &[Object]| page.last().and_then(|object| object.key.clone());
        let (mut page, mut more) = self.page(prefix, after);
        let mut token = last_of(&page);
        let first = || self.page(prefix, "");
        match self.lie {
            Some(Lie::PageTwice) if number == 1 => {
                (page, more) = first();
                token = last_of(&page);
            }
            Some(Lie::PageInsteadOfAnother) if number == 1 => page = first().0,
            Some(Lie::SamePageForEver) => {
                (page, more) = first();
                token = Some(format!("token {number}"));
            }
            Some(Lie::NoToken | Lie::NoTokenNorStart) => token = None,
            Some(Lie::EmptyForEver) => {
                (page, more) = (Vec::new(), true);
                token = Some(format!("token {number}"));
            }
            Some(Lie::Unordered) if number == 1 => page.rotate_right(1),
            Some(Lie::Overlapping) if number == 1 => {
                let known = first().0;
                page.splice(0..0, known.into_iter().skip(PAGE - 2));
            }
            Some(Lie::Elsewhere) if number == 1 => {
                page.iter_mut()
                    .take(1)
                    .for_each(|object| object.key = Some("zzz/other".to_owned()));
            }
            Some(Lie::Ends) => {
                page.truncate(1);
                more = false;
            }
            Some(Lie::Forgets) => drop(page.pop()),
            _ => {}
        }
        ListObjectsV2Output {
            next_continuation_token: token.filter(|_| more),
            is_truncated: Some(more),
            key_count: Some(i32::try_from(page.len()).unwrap()),
            contents: Some(page),
            ..ListObjectsV2Output::default()
        }
    }
}

#[async_trait::async_trait]
impl S3 for Bucket {
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        if input.bucket != BUCKET {
            return Err(s3_error!(NoSuchBucket));
        }
        let prefix = input.prefix.unwrap_or_default();
        let mut contents = self.contents.lock().unwrap();
        let start = input.start_after.filter(|_| contents.lie != Some(Lie::NoTokenNorStart));
        let after = input.continuation_token.or(start).unwrap_or_default();
        let number = contents.lists;
        contents.lists += 1;
        Ok(S3Response::new(contents.listing(&prefix, &after, number)))
    }

    async fn list_object_versions(
        &self,
        _: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let contents = self.contents.lock().unwrap();
        let version = |(key, id): &(String, String)| ObjectVersion {
            key: Some(key.clone()),
            version_id: Some(id.clone()),
            size: Some(7),
            last_modified: Some(modified()),
            is_latest: Some(false),
            storage_class: Some("GLACIER".to_owned().into()),
            ..ObjectVersion::default()
        };
        Ok(S3Response::new(ListObjectVersionsOutput {
            versions: Some(contents.archived.iter().map(version).collect()),
            is_truncated: Some(false),
            ..ListObjectVersionsOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let contents = self.contents.lock().unwrap();
        let bytes = contents.objects.get(&request.input.key).ok_or_else(|| s3_error!(NoSuchKey))?;
        let is_asked =
            request.input.checksum_mode.as_ref().is_some_and(|m| m.as_str() == "ENABLED");
        let kept = contents.kept.get(&request.input.key).filter(|_| is_asked).cloned();
        Ok(S3Response::new(HeadObjectOutput {
            checksum_sha256: kept.clone().map(|(sha256, _)| sha256),
            checksum_type: kept.map(|(_, kind)| kind.to_owned().into()),
            content_length: Some(i64::try_from(bytes.len()).unwrap()),
            e_tag: Some(etag(bytes)),
            last_modified: Some(modified()),
            ..HeadObjectOutput::default()
        }))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let key = request.input.key;
        let mut contents = self.contents.lock().unwrap();
        contents.gets += 1;
        let fault = contents.faults.get(&key).copied();
        let Some(bytes) = contents.objects.get(&key).cloned() else {
            return Err(s3_error!(NoSuchKey));
        };
        match fault {
            Some(Fault::Vanished) => return Err(s3_error!(NoSuchKey)),
            Some(Fault::Denied) => return Err(s3_error!(AccessDenied)),
            Some(Fault::Internal) => return Err(s3_error!(InternalError)),
            Some(Fault::SlowDown(left)) if left > 0 => {
                contents.faults.insert(key, Fault::SlowDown(left - 1));
                return Err(s3_error!(SlowDown));
            }
            Some(Fault::DeniedAfter(0)) => return Err(s3_error!(AccessDenied)),
            Some(Fault::Refused(code, message)) => {
                let mut error = S3Error::new(code.parse().unwrap());
                error.set_message(message);
                return Err(error);
            }
            Some(Fault::Archived(_)) => return Err(s3_error!(InvalidObjectState)),
            Some(Fault::DeniedAfter(left)) => {
                contents.faults.insert(key.clone(), Fault::DeniedAfter(left - 1));
            }
            _ => {}
        }
        let length = i64::try_from(bytes.len()).unwrap();
        let sent = match fault {
            Some(Fault::BrokenOff) => {
                let half = bytes[..bytes.len() / 2].to_vec();
                let pieces = vec![Ok(half.into()), Err(std::io::Error::other("the line is dead"))];
                StreamingBlob::wrap(futures::stream::iter::<Vec<Result<bytes::Bytes, _>>>(pieces))
            }
            Some(Fault::Silent) => {
                let half: Result<bytes::Bytes, std::io::Error> =
                    Ok(bytes[..bytes.len() / 2].to_vec().into());
                let pieces = futures::stream::iter([half]).chain(futures::stream::pending());
                StreamingBlob::wrap(pieces)
            }
            _ => StreamingBlob::from(Body::from(bytes.clone())),
        };
        let e_tag = if fault == Some(Fault::Changed) { etag(b"other") } else { etag(&bytes) };
        let metadata = contents.metadata.get(&key).map(|m| m.clone().into_iter().collect());
        Ok(S3Response::new(GetObjectOutput {
            body: Some(sent),
            content_length: Some(length),
            e_tag: Some(e_tag),
            metadata,
            expiration: contents.expirations.get(&key).cloned(),
            object_lock_legal_hold_status: contents
                .held
                .contains(&key)
                .then(|| s3s::dto::ObjectLockLegalHoldStatus::from_static("ON")),
            last_modified: Some(modified()),
            ..GetObjectOutput::default()
        }))
    }
}
