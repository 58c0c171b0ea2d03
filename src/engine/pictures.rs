//! From a demanded frame to a decoded one: opened objects and decoded frames in two caches, jobs in the pool.
//!
//! Rule towards the app: a frame is sent when a Demand says that it is missing there, and when it becomes
//! available while it is demanded. The app keeps what its Demand names.

use super::cache::Lru;
use super::inner::Inner;
use super::library::Place;
use super::lock;
use super::message::{Demand, Event, ThumbnailWanted, Unshown, UnshownKind};
use super::pool::{LEISURE, Urgency};
use crate::dicom::{DecodeError, Object, ReadError};
use crate::imaging::{Frame, auto_window, letterbox, render_rgb};
use crate::store::StoreError;
use crate::study::{FrameIndex, FrameRef, SopInstanceUid, StudyUid};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

/// Longest edge of a thumbnail, pixels.
const THUMBNAIL_PX: u32 = 96;

/// Why there is no picture.
#[derive(Debug)]
pub(super) enum NoPicture {
    /// Its bytes are not here (yet).
    NotHere,
    /// Its file does not open any more and will be fetched again.
    Lost,
    /// It cannot be shown.
    Reason(Unshown),
}

impl From<&DecodeError> for Unshown {
    fn from(error: &DecodeError) -> Self {
        let kind = match error {
            DecodeError::NotAnImage(_) | DecodeError::Unsupported(_) => UnshownKind::Unsupported,
            DecodeError::NoSuchFrame { .. } => UnshownKind::Missing,
            DecodeError::Contradiction(_) | DecodeError::Frame(_) => UnshownKind::Contradiction,
            DecodeError::Damaged(_) => UnshownKind::Damaged,
            DecodeError::TooLarge { .. } => UnshownKind::TooLarge,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<&ReadError> for Unshown {
    fn from(error: &ReadError) -> Self {
        let kind = match error {
            ReadError::NotDicom(_) | ReadError::Broken(_) => UnshownKind::Damaged,
            ReadError::TooLarge { .. } => UnshownKind::TooLarge,
            ReadError::Io(_) => UnshownKind::Unreadable,
        };
        Self::new(kind, error.to_string())
    }
}

type Slot = Arc<Mutex<Option<Arc<Object>>>>;

#[derive(Default)]
struct State {
    wanted: HashMap<FrameRef, u32>,
    under_way: HashSet<FrameRef>,
    thumbnails: HashMap<SopInstanceUid, Vec<ThumbnailWanted>>,
}

/// Caches and what is demanded.
pub(super) struct Pictures {
    state: Mutex<State>,
    /// By where the bytes are, never by UID alone: two sources may use one UID.
    frames: Mutex<Lru<(Place, FrameIndex), Arc<Frame>>>,
    objects: Mutex<Lru<Place, Arc<Object>>>,
    /// Objects being opened: a second thread that needs the same one waits for the first.
    opening: Mutex<HashMap<Place, Slot>>,
}

impl Pictures {
    pub(super) fn new(frames: usize, objects: usize) -> Self {
        Self {
            state: Mutex::default(),
            frames: Mutex::new(Lru::new(frames)),
            objects: Mutex::new(Lru::new(objects)),
            opening: Mutex::default(),
        }
    }

    /// Instances of the demanded frames, most urgent first.
    pub(super) fn wanted_instances(&self) -> Vec<SopInstanceUid> {
        let state = lock(&self.state);
        let mut wanted: Vec<_> = state.wanted.iter().map(|(frame, place)| (*place, frame.instance.clone())).collect();
        wanted.sort();
        let mut seen = HashSet::new();
        wanted.into_iter().map(|(_, uid)| uid).filter(|uid| seen.insert(uid.clone())).collect()
    }

    /// Everything of the session is forgotten.
    pub(super) fn clear(&self) {
        *lock(&self.state) = State::default();
        self.forget_decoded();
    }

    /// What is decoded or open is forgotten: a file may have changed.
    pub(super) fn forget_decoded(&self) {
        lock(&self.frames).clear();
        lock(&self.objects).clear();
    }

    /// Bytes of decoded frames held.
    pub(super) fn frame_bytes(&self) -> usize {
        lock(&self.frames).held()
    }
}

impl Inner {
    /// Takes the frames and thumbnails of a new Demand.
    pub(super) fn demand_pictures(self: &Arc<Self>, demand: &Demand) {
        let Demand { frames, missing, thumbnails, .. } = demand;
        let mut fresh_thumbnails = Vec::new();
        {
            let mut state = lock(&self.pictures.state);
            let wanted: HashMap<FrameRef, u32> = frames.iter().cloned().zip(0..).collect();
            state.wanted = wanted;
            let old: HashSet<_> = state.thumbnails.values().flatten().map(|t| t.display_set.clone()).collect();
            let mut by_instance: HashMap<SopInstanceUid, Vec<ThumbnailWanted>> = HashMap::new();
            for thumbnail in thumbnails {
                if !old.contains(&thumbnail.display_set) {
                    fresh_thumbnails.push(thumbnail.clone());
                }
                by_instance.entry(thumbnail.frame.instance.clone()).or_default().push(thumbnail.clone());
            }
            state.thumbnails = by_instance;
        }
        {
            let state = lock(&self.pictures.state);
            self.events.keep_frames(|frame| state.wanted.contains_key(frame));
        }
        // What waits in the queue is on its way; anything else that the app lacks is got (again).
        let on_the_way = self.events.frames_waiting();
        for frame in missing.iter().filter(|f| !on_the_way.contains(*f)) {
            self.fetch_frame(frame);
        }
        for thumbnail in fresh_thumbnails {
            self.fetch_thumbnail(thumbnail);
        }
    }

    /// An instance has arrived: what waits for it goes on.
    pub(super) fn instance_available(self: &Arc<Self>, instance: &SopInstanceUid) {
        let (frames, thumbnails) = {
            let state = lock(&self.pictures.state);
            let frames: Vec<_> = state.wanted.keys().filter(|f| f.instance == *instance).cloned().collect();
            (frames, state.thumbnails.get(instance).cloned().unwrap_or_default())
        };
        for frame in frames {
            self.fetch_frame(&frame);
        }
        for thumbnail in thumbnails {
            self.fetch_thumbnail(thumbnail);
        }
    }

    fn fetch_frame(self: &Arc<Self>, frame: &FrameRef) {
        {
            let library = lock(&self.library);
            let Some((_, place)) = library.place(&frame.instance) else {
                // Given up, or refused as another study's: it will not come, and the reader is told why.
                if let Some(reason) = library.unfetched_reason(&frame.instance) {
                    let why = Unshown::new(UnshownKind::Unfetched, reason);
                    self.events.push(Event::FrameFailed(frame.clone(), why));
                }
                return;
            };
            if let Some(decoded) = lock(&self.pictures.frames).get(&(place, frame.frame)) {
                self.events.push(Event::Frame(frame.clone(), decoded));
                return;
            }
        }
        let urgency = {
            let mut state = lock(&self.pictures.state);
            let Some(place) = state.wanted.get(frame).copied() else { return };
            if !state.under_way.insert(frame.clone()) {
                return;
            }
            place as Urgency
        };
        let (inner, frame) = (Arc::clone(self), frame.clone());
        self.pool.submit(urgency, move || {
            let wanted = lock(&inner.pictures.state).wanted.contains_key(&frame);
            let result = wanted.then(|| inner.decoded_safely(&frame));
            let still = {
                let mut state = lock(&inner.pictures.state);
                state.under_way.remove(&frame);
                state.wanted.contains_key(&frame)
            };
            match result {
                Some(Ok((place, decoded))) if still => inner.give_frame(frame, &place, decoded),
                Some(Err(NoPicture::Reason(reason))) => {
                    inner.unshown(&frame.instance, &reason.detail);
                    if still {
                        inner.events.push(Event::FrameFailed(frame, reason));
                    }
                }
                // Demanded anew between the look and now: it was not decoded, so it is tried again.
                None if still => inner.fetch_frame(&frame),
                _ => {}
            }
        });
    }

    /// Gives a decoded frame, if its bytes still are where the instance's are: another source may have taken the UID
    /// meanwhile, and then its picture is the one that is wanted.
    fn give_frame(self: &Arc<Self>, frame: FrameRef, from: &Place, decoded: Arc<Frame>) {
        {
            // Held while the event is put in: what the new source tells comes after it.
            let library = lock(&self.library);
            if library.place(&frame.instance).is_some_and(|(_, place)| place == *from) {
                self.events.push(Event::Frame(frame, decoded));
                return;
            }
        }
        self.fetch_frame(&frame);
    }

    fn unshown(&self, instance: &SopInstanceUid, reason: &str) {
        if let Some(study) = lock(&self.library).unshown(instance, reason) {
            self.progress_changed(&study);
        }
    }

    /// As [`Self::decoded`], where a panic of a codec is a reason like any other.
    fn decoded_safely(&self, frame: &FrameRef) -> Result<(Place, Arc<Frame>), NoPicture> {
        let attempt = std::panic::AssertUnwindSafe(|| self.decoded(frame));
        std::panic::catch_unwind(attempt).unwrap_or_else(|_| {
            if let Some((_, place)) = lock(&self.library).place(&frame.instance) {
                lock(&self.pictures.opening).remove(&place);
            }
            Err(NoPicture::Reason(Unshown::new(UnshownKind::Damaged, "the decoder failed on this object")))
        })
    }

    /// An instance was given up: whoever waits for its frames is told.
    pub(super) fn instance_given_up(&self, instance: &SopInstanceUid, reason: &str) {
        let frames: Vec<_> = {
            let state = lock(&self.pictures.state);
            state.wanted.keys().filter(|f| f.instance == *instance).cloned().collect()
        };
        for frame in frames {
            self.events.push(Event::FrameFailed(frame, Unshown::new(UnshownKind::Unfetched, reason)));
        }
    }

    /// A decoded frame, from the cache or made now (on a pool thread), and where its bytes are.
    pub(super) fn decoded(&self, frame: &FrameRef) -> Result<(Place, Arc<Frame>), NoPicture> {
        let (study, place) = lock(&self.library).place(&frame.instance).ok_or(NoPicture::NotHere)?;
        let key = (place, frame.frame);
        if let Some(decoded) = lock(&self.pictures.frames).get(&key) {
            return Ok((key.0, decoded));
        }
        let object = self.object(&study, &frame.instance, &key.0)?;
        let decoded = Arc::new(object.frame(frame.frame).map_err(|e| NoPicture::Reason(Unshown::from(&e)))?);
        lock(&self.pictures.frames).insert(key.clone(), Arc::clone(&decoded), decoded.bytes());
        Ok((key.0, decoded))
    }

    fn object(&self, study: &StudyUid, instance: &SopInstanceUid, place: &Place) -> Result<Arc<Object>, NoPicture> {
        if let Some(object) = lock(&self.pictures.objects).get(place) {
            return Ok(object);
        }
        let slot = Arc::clone(lock(&self.pictures.opening).entry(place.clone()).or_default());
        let mut held = lock(&slot);
        if let Some(object) = &*held {
            return Ok(Arc::clone(object));
        }
        let opened = self.open_object(study, instance, place);
        if let Ok(object) = &opened {
            *held = Some(Arc::clone(object));
            lock(&self.pictures.objects).insert(place.clone(), Arc::clone(object), object.bytes());
        }
        drop(held);
        lock(&self.pictures.opening).remove(place);
        opened
    }

    fn open_object(
        &self,
        study: &StudyUid,
        instance: &SopInstanceUid,
        place: &Place,
    ) -> Result<Arc<Object>, NoPicture> {
        let object = match place {
            Place::Path(file) => file.object(),
            Place::Sealed(file) => {
                let disk = self.disk().map_err(|_| NoPicture::NotHere)?;
                match disk.objects().read_instance(study, instance, file) {
                    Ok(bytes) => Object::from_bytes(bytes),
                    Err(StoreError::Damaged(_)) => {
                        self.instance_lost(study, instance);
                        return Err(NoPicture::Lost);
                    }
                    Err(error) => {
                        return Err(NoPicture::Reason(Unshown::new(UnshownKind::Unreadable, error.to_string())));
                    }
                }
            }
        };
        object.map(Arc::new).map_err(|e| NoPicture::Reason(Unshown::from(&e)))
    }

    /// A sealed file that does not open is forgotten and fetched again.
    fn instance_lost(&self, study: &StudyUid, instance: &SopInstanceUid) {
        tracing::warn!("a kept instance does not open and is fetched again");
        let (s, i) = (study.clone(), instance.clone());
        if let Ok(disk) = self.disk()
            && let Err(error) = disk.call_blocking(move |store| store.forget_instance(&s, &i))
        {
            tracing::warn!(%error, "a lost instance could not be forgotten");
        }
        lock(&self.library).lost(instance);
        self.progress_changed(study);
        self.transfer.look_again(study);
    }

    fn fetch_thumbnail(self: &Arc<Self>, wanted: ThumbnailWanted) {
        let Some(home) = lock(&self.library).home(&wanted.frame.instance).cloned() else { return };
        let inner = Arc::clone(self);
        self.pool.submit(LEISURE, move || {
            let place = lock(&inner.library).place(&wanted.frame.instance).map(|(_, place)| place);
            // Files of the reader's own leave nothing on this disk, and take nothing from what is kept of the center's.
            let own = matches!(place, Some(Place::Path(_)));
            let kept = if own { None } else { inner.kept_thumbnail(&home.study, &wanted) };
            let made = match (kept, &place) {
                (Some(kept), _) => Some(kept),
                (None, Some(_)) => inner.make_thumbnail(&home.study, &wanted),
                (None, None) => None,
            };
            let Some(made) = made else { return };
            let still = {
                let mut state = lock(&inner.pictures.state);
                let list = state.thumbnails.get_mut(&wanted.frame.instance);
                list.is_some_and(|l| {
                    let before = l.len();
                    l.retain(|t| t.display_set != wanted.display_set);
                    l.len() < before
                })
            };
            let library = lock(&inner.library);
            let same = library.place(&wanted.frame.instance).map(|(_, place)| place) == place;
            if still && (same || place.is_none()) {
                let rgb = Arc::from(made.rgb.into_boxed_slice());
                inner.events.push(Event::Thumbnail { display_set: wanted.display_set, size: made.size, rgb });
            }
        });
    }

    fn kept_thumbnail(&self, study: &StudyUid, wanted: &ThumbnailWanted) -> Option<KeptThumbnail> {
        let disk = self.disk().ok()?;
        let (study, of) = (study.clone(), wanted.display_set.clone());
        let bytes = disk.call_blocking(move |store| store.thumbnail(&study, &of)).ok()??;
        // Display sets are numbered anew while a series grows: the frame tells whether this is still the one.
        serde_json::from_slice::<KeptThumbnail>(&bytes).ok().filter(|kept| kept.frame == wanted.frame)
    }

    fn make_thumbnail(&self, study: &StudyUid, wanted: &ThumbnailWanted) -> Option<KeptThumbnail> {
        let (place, frame) = match self.decoded_safely(&wanted.frame) {
            Ok(decoded) => decoded,
            Err(NoPicture::Reason(reason)) => {
                self.unshown(&wanted.frame.instance, &reason.detail);
                return None;
            }
            Err(_) => return None,
        };
        let voi = wanted.voi.or_else(|| frame.voi.first().copied()).unwrap_or_else(|| auto_window(&frame));
        let (rgb, size) = fitted(&frame, &voi, false, THUMBNAIL_PX)?;
        let made = KeptThumbnail { frame: wanted.frame.clone(), size, rgb };
        if let (Place::Sealed(_), Ok(disk), Ok(bytes)) = (&place, self.disk(), serde_json::to_vec(&made)) {
            let (study, of) = (study.clone(), wanted.display_set.clone());
            // A thumbnail that could not be kept is only made again next time.
            if let Err(error) = disk.call_blocking(move |store| store.put_thumbnail(&study, &of, &bytes)) {
                tracing::debug!(%error, "a thumbnail was not kept");
            }
        }
        Some(made)
    }
}

/// A frame as RGB, windowed and fitted so that its longer edge has at most `longest` pixels.
pub(super) fn fitted(
    frame: &Frame,
    voi: &crate::study::Voi,
    invert: bool,
    longest: u32,
) -> Option<(Vec<u8>, [u32; 2])> {
    let rgb = render_rgb(frame, voi, invert);
    let aspect = if frame.pixel_aspect.is_finite() && frame.pixel_aspect > 0.0 { frame.pixel_aspect } else { 1.0 };
    let (width, height) = (f64::from(frame.columns) * aspect, f64::from(frame.rows));
    let scale = (f64::from(longest) / width.max(height)).min(1.0);
    let size = [(width * scale).round().max(1.0) as u32, (height * scale).round().max(1.0) as u32];
    let fitted = letterbox(&rgb, [frame.columns, frame.rows], aspect, size[0], size[1]).ok()?;
    Some((fitted, size))
}

#[derive(Serialize, Deserialize)]
struct KeptThumbnail {
    frame: FrameRef,
    size: [u32; 2],
    rgb: Vec<u8>,
}
