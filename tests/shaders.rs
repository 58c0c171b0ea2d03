//! Every shader with its prelude goes through naga; the uniform structs have the Rust structs' layout.

use dokuei::render::{FRAME_SHADER, FrameUniform, VOI_SHADER, VoiUniform};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use std::mem::{offset_of, size_of};

fn parse(source: &str) -> naga::Module {
    let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    let checked = Validator::new(ValidationFlags::all(), Capabilities::default()).validate(&module);
    if let Err(error) = checked {
        panic!("{}", error.emit_to_string(source));
    }
    module
}

/// Name, offset of each member, and size, of a struct.
fn layout(module: &naga::Module, name: &str) -> (Vec<(String, usize)>, usize) {
    let found = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(name));
    let Some((_, naga::Type { inner: naga::TypeInner::Struct { members, span }, .. })) = found else {
        panic!("no struct {name}");
    };
    let members = members.iter().map(|m| (m.name.clone().unwrap_or_default(), m.offset as usize)).collect();
    (members, *span as usize)
}

macro_rules! rust_layout {
    ($type:ty, $($field:ident),+) => {
        (vec![$((stringify!($field).to_owned(), offset_of!($type, $field))),+], size_of::<$type>())
    };
}

#[test]
fn every_shader_is_valid_with_the_prelude() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut drawing = 0;
    for entry in std::fs::read_dir(&folder).expect("shaders/ can be listed") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a shader is text");
        if path.file_name().is_some_and(|n| n == "voi.wgsl") {
            assert_eq!(text, VOI_SHADER);
            assert!(parse(&text).entry_points.is_empty(), "the prelude has no entry point");
        } else {
            assert!(!parse(&format!("{VOI_SHADER}\n{text}")).entry_points.is_empty(), "{}", path.display());
            drawing += 1;
        }
    }
    assert!(drawing >= 1);
}

#[test]
fn uniforms_lie_as_the_shaders_read_them() {
    let module = parse(&format!("{VOI_SHADER}\n{FRAME_SHADER}"));
    assert_eq!(
        layout(&module, "VoiUniform"),
        rust_layout!(
            VoiUniform,
            slope,
            residual,
            width,
            function,
            pivot_int,
            pivot_float,
            inverted,
            has_padding,
            padding_int,
            padding_float,
            lut_entries,
            lut_scale,
            lut_full,
            presentation_entries,
            presentation_full,
            unused_0,
            unused_1,
            unused_2
        )
    );
    assert_eq!(
        layout(&module, "FrameUniform"),
        rust_layout!(
            FrameUniform,
            voi,
            pixel_from_screen,
            translation,
            origin,
            size,
            tile_shift,
            tiles_across,
            footprint,
            nearest,
            mask,
            shutter_level,
            unused_0,
            unused_1
        )
    );
}
