//! The device: how it is asked for, what it can do, and whether it is still there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// No device to draw with.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// No adapter at all.
    #[error(
        "no graphics adapter: Vulkan needs a driver (Debian/Ubuntu: libvulkan1 and mesa-vulkan-drivers, which \
         also holds the software one)"
    )]
    NoAdapter(#[source] wgpu::RequestAdapterError),
    /// The adapter gave no device.
    #[error("the graphics adapter gave no device")]
    NoDevice(#[source] wgpu::RequestDeviceError),
    /// The device was lost while drawing; a new one has to be made.
    #[error("the graphics device was lost")]
    Lost,
    /// The picture could not be read back.
    #[error("the picture could not be read back from the graphics device: {0}")]
    ReadBack(String),
}

/// What the reader should know of the adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterFacts {
    /// Name, as the driver gives it.
    pub name: String,
    /// Driver and its version.
    pub driver: String,
    /// `vulkan`, `gl`, `metal`, `dx12`.
    pub backend: String,
    /// Pictures are drawn by the processor: right, but slow; the reader is told.
    pub software: bool,
}

impl AdapterFacts {
    fn new(adapter: &wgpu::Adapter) -> Self {
        let info = adapter.get_info();
        Self {
            name: info.name,
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            backend: info.backend.to_string(),
            software: info.device_type == wgpu::DeviceType::Cpu,
        }
    }
}

/// A device with its queue and facts. Cheap to clone; all clones know of its loss.
#[derive(Debug, Clone)]
pub struct Gpu {
    /// Device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// What the reader should know of the adapter.
    pub facts: AdapterFacts,
    lost: Arc<AtomicBool>,
    fault: Arc<Mutex<Option<String>>>,
}

impl Gpu {
    /// Takes over a device that somebody else made (the window's).
    pub fn new(adapter: &wgpu::Adapter, device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            tracing::error!(?reason, message, "graphics device lost");
            flag.store(true, Ordering::Release);
        });
        // wgpu would panic at a refused call. The picture then is not what it should be: kept, and told by
        // whoever looks at it next.
        let fault = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&fault);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            tracing::error!(%error, "graphics device refused a call");
            noted.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
        }));
        Self { device, queue, facts: AdapterFacts::new(adapter), lost, fault }
    }

    /// A device without a window, through `backends`.
    pub fn headless(backends: wgpu::Backends) -> Result<Self, GpuError> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = backends;
        let instance = wgpu::Instance::new(descriptor);
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = pollster::block_on(instance.request_adapter(&options)).map_err(GpuError::NoAdapter)?;
        let descriptor = device_descriptor(&adapter);
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).map_err(GpuError::NoDevice)?;
        Ok(Self::new(&adapter, device, queue))
    }

    /// A device without a window through the best back end there is: the native ones, then GL.
    pub fn headless_any() -> Result<Self, GpuError> {
        Self::headless(wgpu::Backends::PRIMARY).or_else(|_| Self::headless(wgpu::Backends::SECONDARY))
    }

    /// Nothing drawn from now on can be trusted; pages are gone.
    pub fn lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// The first call that the device refused since this was asked last.
    pub fn take_fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Longest edge of a texture.
    pub fn max_edge(&self) -> u32 {
        self.device.limits().max_texture_dimension_2d
    }

    /// Most layers of a texture.
    pub fn max_layers(&self) -> u32 {
        self.device.limits().max_texture_array_layers
    }
}

/// What to ask of an adapter: all its limits (a mammogram is longer than the defaults allow), and only the
/// features that help to measure.
pub fn device_descriptor(adapter: &wgpu::Adapter) -> wgpu::DeviceDescriptor<'static> {
    wgpu::DeviceDescriptor {
        label: Some("dokuei device"),
        required_limits: adapter.limits(),
        required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
        ..wgpu::DeviceDescriptor::default()
    }
}
