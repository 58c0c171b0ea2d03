//! Objects without a picture: read on a pool thread when the reader opens one.

use super::export::{Staged, blocking};
use super::inner::{Inner, failure_of_store};
use super::library::Place;
use super::lock;
use super::message::{DocumentSaved, Dress, Event, Failure, ObjectEvent, SaveDocument, Unread};
use super::pool::AT_ONCE;
use crate::dicom::{Object, encapsulated, read_object};
use crate::imaging::Frame;
use crate::study::{SopInstanceUid, StudyUid, Why};
use crate::viewport::ObjectContent;
use crate::worklist::{AuditAction, AuditOutcome};
use std::path::PathBuf;
use std::sync::Arc;

impl Inner {
    /// Reads an object and tells what it says, or why it cannot be read.
    pub(super) fn read_object(self: &Arc<Self>, instance: SopInstanceUid) {
        let inner = Arc::clone(self);
        self.pool.submit(AT_ONCE, move || {
            // A panic of the reader is a reason like any other.
            let attempt = std::panic::AssertUnwindSafe(|| inner.object_content(&instance));
            let content = std::panic::catch_unwind(attempt)
                .unwrap_or_else(|_| Err(Unread::Unreadable("the program failed on this object".to_owned())))
                .map(Arc::new);
            inner.events.push(Event::Object(ObjectEvent::Read { instance, content }));
        });
    }

    /// Makes a picture as a presentation state shows it.
    pub(super) fn dress(self: &Arc<Self>, wish: Dress) {
        let inner = Arc::clone(self);
        self.pool.submit(AT_ONCE, move || {
            let dress = |masks: &[Arc<Frame>]| wish.content.dress(&wish.at, &wish.frame, masks);
            // Without masks nothing is subtracted, and the picture says so.
            let dressed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dress(&wish.masks)));
            let frame = dressed.unwrap_or_else(|_| dress(&[])).map_or_else(|| Arc::clone(&wish.frame), Arc::new);
            inner.events.push(Event::Object(ObjectEvent::Dressed { wish, frame }));
        });
    }

    fn object_content(&self, instance: &SopInstanceUid) -> Result<ObjectContent, Unread> {
        let (found, given_up) = {
            let library = lock(&self.library);
            if library.is_strangers(instance) {
                return Err(Unread::Unreadable(Why::OtherPatient.sentence().to_owned()));
            }
            (library.place(instance), library.unfetched_reason(instance))
        };
        let Some((study, place)) = found else { return Err(given_up.map_or(Unread::NotHere, Unread::Unfetched)) };
        self.content_of(&study, instance, place).map_err(Unread::Unreadable)
    }

    /// Writes the document within an object outside the sealed store and tells the file.
    pub(super) async fn save_document(self: &Arc<Self>, wish: SaveDocument) {
        let SaveDocument { instance, folder } = wish;
        let saved = self.document_out(&instance, folder).await;
        self.events.push(Event::Object(ObjectEvent::Saved(DocumentSaved { instance, saved })));
    }

    /// Recorded before the file has its name: no export without its record. Files opened without a center are the
    /// reader's own, and there is nothing to record them in.
    async fn document_out(self: &Arc<Self>, instance: &SopInstanceUid, folder: PathBuf) -> Result<PathBuf, Failure> {
        if !folder.is_absolute() {
            return Err(Failure::Local("the folder must be named by its whole path".to_owned()));
        }
        let place = lock(&self.library).place(instance);
        let Some((study, place)) = place else { return Err(Failure::Local("the object is not here".to_owned())) };
        let recorded = matches!(place, Place::Sealed(_));
        let (inner, uid) = (Arc::clone(self), instance.clone());
        let staged = blocking(move || {
            let object = inner.whole(&study, &uid, place).map_err(Failure::Corrupt)?;
            let content = read_object(object.header(), &|| Ok(object.clone()));
            let (Ok(ObjectContent::Encapsulated(document)), Some(bytes)) = (content, encapsulated(object.header()))
            else {
                return Err(Failure::Corrupt("the object holds no document".to_owned()));
            };
            let file = format!("document.{}", ending(&document.mime));
            let name = format!("document-{uid}");
            Ok((
                Staged::write(&folder, &name, &[(file.clone(), bytes.to_vec())], Arc::clone(&inner.config.faults))?,
                file,
            ))
        });
        let (staged, file) = staged.await?;
        let audit = |outcome| self.audit(AuditAction::DocumentExported, outcome, Some(instance.to_string()));
        if recorded {
            let success = audit(AuditOutcome::Success);
            self.disk()?.call(move |store| store.record(success)).await.map_err(|e| failure_of_store(&e))?;
        }
        let done = blocking(move || staged.finish()).await;
        if done.is_err() && recorded {
            self.record(audit(AuditOutcome::MinorFailure)).await;
        }
        self.audit_wake.notify_one();
        done.map(|folder| folder.join(file))
    }

    /// An object with all its bytes.
    fn whole(&self, study: &StudyUid, instance: &SopInstanceUid, place: Place) -> Result<Object, String> {
        match place {
            Place::Path(file) => file.object().map_err(|e| e.to_string()),
            Place::Sealed(file) => {
                let disk = self.disk().map_err(|failure| failure.detail().to_owned())?;
                let bytes = disk.objects().read_instance(study, instance, &file).map_err(|e| e.to_string())?;
                Object::from_bytes(bytes).map_err(|e| e.to_string())
            }
        }
    }

    fn content_of(&self, study: &StudyUid, instance: &SopInstanceUid, place: Place) -> Result<ObjectContent, String> {
        let content = match place {
            Place::Path(file) => {
                let header = file.header().map_err(|e| e.to_string())?;
                read_object(&header, &|| file.object())
            }
            sealed @ Place::Sealed(_) => {
                let object = self.whole(study, instance, sealed)?;
                read_object(object.header(), &|| Ok(object.clone()))
            }
        };
        content.map_err(|e| e.to_string())
    }
}

/// The ending of a document's file name by its MIME type (PS3.3 C.24.2).
fn ending(mime: &str) -> &'static str {
    match mime.trim().to_ascii_lowercase().as_str() {
        "application/pdf" => "pdf",
        "text/xml" | "application/xml" | "application/hl7-sda+xml" => "xml",
        "model/stl" | "application/sla" => "stl",
        "model/obj" => "obj",
        "model/mtl" => "mtl",
        _ => "bin",
    }
}
