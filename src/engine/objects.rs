//! Objects without a picture: read on a pool thread when the reader opens one.

use super::inner::Inner;
use super::library::Place;
use super::lock;
use super::message::{Event, Unread};
use super::pool::AT_ONCE;
use crate::dicom::{Object, read_object};
use crate::study::{SopInstanceUid, StudyUid};
use crate::viewport::ObjectContent;
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
            inner.events.push(Event::Object { instance, content });
        });
    }

    fn object_content(&self, instance: &SopInstanceUid) -> Result<ObjectContent, Unread> {
        let (found, given_up) = {
            let library = lock(&self.library);
            (library.place(instance), library.unfetched_reason(instance))
        };
        let Some((study, place)) = found else { return Err(given_up.map_or(Unread::NotHere, Unread::Unfetched)) };
        self.content_of(&study, instance, place).map_err(Unread::Unreadable)
    }

    fn content_of(&self, study: &StudyUid, instance: &SopInstanceUid, place: Place) -> Result<ObjectContent, String> {
        let content = match place {
            Place::Path(file) => {
                let header = file.header().map_err(|e| e.to_string())?;
                read_object(&header, &|| file.object())
            }
            Place::Sealed(file) => {
                let disk = self.disk().map_err(|failure| failure.detail().to_owned())?;
                let bytes = disk.objects().read_instance(study, instance, &file).map_err(|e| e.to_string())?;
                let object = Object::from_bytes(bytes).map_err(|e| e.to_string())?;
                read_object(object.header(), &|| Ok(object.clone()))
            }
        };
        content.map_err(|e| e.to_string())
    }
}
