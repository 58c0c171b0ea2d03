//! From a draft to a signed report: freeze, show, sign, check, keep. Nothing is signed twice for one assignment.

use super::inner::{Inner, failure_of_store};
use super::link::not_signed_in;
use super::lock;
use super::message::{Event, Failure, Prepared, PreviewPicture, Secret};
use super::pictures::{NoPicture, fitted};
use super::pool::AT_ONCE;
use crate::imaging::encode_png;
use crate::report::manifest::{self, BuildInput, KeyPicture, Package as Built, REPORT_HTML, Signer, Software};
use crate::report::{Draft, KeyImage, Template};
use crate::store::{Attachment, Package, Profile};
use crate::vault::ca::certificates_from_pem;
use crate::vault::digest::sha256_hex;
use crate::vault::signature::{Expected, Policy, sign_detached};
use crate::worklist::{Assignment, AuditAction, AuditOutcome};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Prepared reports that are held; older ones are dropped.
const HELD: usize = 4;
/// Longest edge of a key image, pixels.
const KEY_IMAGE_PX: u32 = 1024;
/// A clock that is further off does not sign (domain reference §14).
const CLOCK_LIMIT_S: i64 = 3600;

/// A key image as a file and as it is shown.
struct Drawn {
    png: Vec<u8>,
    rgb: Vec<u8>,
    size: [u32; 2],
}

/// A frozen report.
pub(super) struct Frozen {
    built: Built,
    sha256: String,
    draft: Draft,
    /// Who will sign it (user id).
    user: String,
}

/// What lies ready for signing; also the profile until the store takes it, and the threads to join.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) prepared: Mutex<BTreeMap<u64, Arc<Frozen>>>,
    pub(super) profile: Mutex<Option<Profile>>,
    pub(super) threads: Mutex<Vec<JoinHandle<()>>>,
    count: AtomicU64,
}

/// What a preparation needs.
pub(super) struct Wish {
    pub(super) draft: Draft,
    pub(super) template: Arc<Template>,
    pub(super) assignment: Arc<Assignment>,
    pub(super) acknowledged: Vec<manifest::Acknowledged>,
    pub(super) shown: Vec<String>,
    pub(super) language: String,
}

impl Inner {
    pub(super) async fn prepare(self: &Arc<Self>, wish: Wish) {
        let Some(session) = self.signed_in() else {
            self.events.push(Event::SignFailed(not_signed_in()));
            return;
        };
        if let Ok(true) | Err(_) = self.is_flagged(&session.user, &wish.draft.assignment_id).await {
            let failure = failure_of_store(&crate::store::StoreError::Flagged);
            self.events.push(Event::SignFailed(failure));
            return;
        }
        let signer = Signer { user: session.user, name: session.name };
        let inner = Arc::clone(self);
        let made = self.pool.run(AT_ONCE, move || inner.freeze(&wish, signer)).await;
        match made {
            Some(Ok(prepared)) => self.events.push(Event::Prepared(prepared)),
            Some(Err(failure)) => self.events.push(Event::SignFailed(failure)),
            None => {}
        }
    }

    /// On a pool thread: the exact bytes and their pictures.
    fn freeze(&self, wish: &Wish, signer: Signer) -> Result<Prepared, Failure> {
        let mut pictures = Vec::new();
        let mut drawn = Vec::new();
        for finding in &wish.draft.findings {
            let Some(key_image) = &finding.key_image else { continue };
            let Drawn { png, rgb, size } = self.key_picture(key_image)?;
            pictures.push(KeyPicture { finding: finding.id, png });
            drawn.push((finding.id, rgb, size));
        }
        let user = signer.user.clone();
        let built = manifest::build(&BuildInput {
            draft: &wish.draft,
            template: &wish.template,
            assignment: &wish.assignment,
            acknowledged: &wish.acknowledged,
            shown: &wish.shown,
            pictures: &pictures,
            signer,
            claimed_time: self.now(),
            language: &wish.language,
            software: Software {
                name: "Dokuei".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                build_class: self.config.build_class.clone(),
            },
        })
        .map_err(|e| Failure::Local(e.to_string()))?;
        let html = built.attachments.iter().find(|a| a.name == REPORT_HTML);
        let html = html.map(|a| String::from_utf8_lossy(&a.bytes).into_owned()).unwrap_or_default();
        let sha256 = sha256_hex(&built.report_json);
        let id = self.desk.count.fetch_add(1, Ordering::SeqCst) + 1;
        let prepared = Prepared {
            id,
            assignment: wish.draft.assignment_id.clone(),
            revision: wish.draft.revision,
            report_json: built.report_json.clone().into(),
            html: html.into(),
            sha256: sha256.clone(),
            pictures: drawn
                .into_iter()
                .filter_map(|(id, rgb, size)| {
                    let number = wish.draft.findings.iter().position(|f| f.id == id)? + 1;
                    Some(PreviewPicture { name: manifest::key_image_name(number as u32), size, rgb: rgb.into() })
                })
                .collect(),
        };
        let mut held = lock(&self.desk.prepared);
        held.insert(id, Arc::new(Frozen { built, sha256, draft: wish.draft.clone(), user }));
        while held.len() > HELD {
            held.pop_first();
        }
        Ok(prepared)
    }

    /// A key image from stored values, as it was seen. One that cannot be made stops the preparation: a report
    /// must not silently lack the picture that its finding names.
    fn key_picture(&self, key_image: &KeyImage) -> Result<Drawn, Failure> {
        let (_, frame) = self.decoded(&key_image.frame).map_err(|e| match e {
            NoPicture::Reason(reason) => Failure::Corrupt(format!("a key image cannot be decoded: {}", reason.detail)),
            NoPicture::NotHere | NoPicture::Lost => {
                Failure::Local("a key image's picture is not on this terminal yet".to_owned())
            }
        })?;
        let (rgb, [width, height]) = fitted(&frame, &key_image.voi, key_image.invert, KEY_IMAGE_PX)
            .ok_or_else(|| Failure::Local("a key image cannot be drawn".to_owned()))?;
        let png = encode_png(&rgb, width, height).map_err(|e| Failure::Local(e.to_string()))?;
        Ok(Drawn { png, rgb, size: [width, height] })
    }

    pub(super) async fn sign(&self, prepared: u64, password: Secret) {
        match self.sign_prepared(prepared, &password).await {
            Ok((assignment, sha256)) => {
                lock(&self.desk.prepared).remove(&prepared);
                self.events.push(Event::Signed { assignment, sha256 });
                self.tell_outbox().await;
                self.audit_wake.notify_one();
                self.outbox_wake.notify_one();
            }
            Err(failure) => self.events.push(Event::SignFailed(failure)),
        }
    }

    async fn sign_prepared(&self, id: u64, password: &Secret) -> Result<(String, String), Failure> {
        let session = self.signed_in().ok_or_else(not_signed_in)?;
        let frozen = lock(&self.desk.prepared)
            .get(&id)
            .filter(|frozen| frozen.user == session.user)
            .cloned()
            .ok_or_else(|| Failure::Conflict("this preview is no longer held: prepare it anew".to_owned()))?;
        let skew = lock(&self.link).clock_skew_s;
        if skew.abs() > CLOCK_LIMIT_S {
            return Err(Failure::Local(format!(
                "this terminal's clock is {skew} s off the center's: set it right first"
            )));
        }
        let center = self.center()?;
        let certificate = self
            .certificate(&session.user)
            .await?
            .ok_or_else(|| Failure::Local("there is no signing certificate yet: sign in while online".to_owned()))?;
        let key = self.open_key(&session.user, password).await?;
        let mut chain = certificates_from_pem(&certificate.chain)
            .map_err(|_| Failure::Local("the signing certificate is damaged".to_owned()))?;
        if chain.is_empty() {
            return Err(Failure::Local("the signing certificate is missing".to_owned()));
        }
        let own = chain.remove(0);
        let signed_at = self.now();
        let local = |e: &dyn std::fmt::Display| Failure::Local(e.to_string());
        let signature =
            sign_detached(&frozen.built.report_json, &key, &own, &chain, signed_at).map_err(|e| local(&e))?;
        // What this program would not accept from others it does not send.
        let check =
            Policy { roots: &center.roots, revoked: &[], at: signed_at, expected: Expected::Reader(&session.user) }
                .verify(&frozen.built.report_json, &signature);
        if !check.verdict.is_valid() {
            return Err(Failure::Local(format!("the signature does not verify: {} ({})", check.verdict, check.detail)));
        }
        let assignment = frozen.draft.assignment_id.clone();
        let lease = lock(&self.assignments).get(&assignment).and_then(|a| a.lease.as_ref().map(|l| l.id.clone()));
        let attachments = frozen
            .built
            .attachments
            .iter()
            .map(|a| Attachment { name: a.name.clone(), media_type: a.media_type.clone(), bytes: a.bytes.clone() })
            .collect();
        let package = Package {
            assignment: assignment.clone(),
            user: session.user,
            lease,
            predecessor: frozen.draft.addendum_to.clone(),
            revision: frozen.draft.revision,
            signed_at,
            sha256: frozen.sha256.clone(),
            report_json: frozen.built.report_json.clone(),
            signature,
            attachments,
        };
        let audit = self.audit(AuditAction::ReportSigned, AuditOutcome::Success, Some(assignment.clone()));
        self.disk()?.call(move |store| store.sign(&package, audit)).await.map_err(|e| failure_of_store(&e))?;
        Ok((assignment, frozen.sha256.clone()))
    }
}
