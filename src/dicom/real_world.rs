//! Real World Value Mapping (PS3.3 C.7.6.16.2.11): values in a stated unit beside the modality value.

use super::dataset::View;
use super::functional::group_items;
use crate::imaging::{RealWorldMap, RealWorldTransform};
use dicom_dictionary_std::tags;

/// Most mappings of one frame, and most entries of one table.
const MOST_MAPS: usize = 16;
const MOST_ENTRIES: usize = 1 << 17;

/// The frame's mappings in stored order; what lacks its numbers is left out.
pub(super) fn maps(view: &View<'_>, frame: usize) -> Vec<RealWorldMap> {
    let items = group_items(view, frame, tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE);
    items.into_iter().take(MOST_MAPS).filter_map(|item| map(&item)).collect()
}

fn map(item: &View<'_>) -> Option<RealWorldMap> {
    let either = |int, float| item.int(int).map(|v| v as f64).or_else(|| item.float(float));
    let first =
        either(tags::REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, tags::DOUBLE_FLOAT_REAL_WORLD_VALUE_FIRST_VALUE_MAPPED)?;
    let last = either(tags::REAL_WORLD_VALUE_LAST_VALUE_MAPPED, tags::DOUBLE_FLOAT_REAL_WORLD_VALUE_LAST_VALUE_MAPPED)?;
    let table = item.floats(tags::REAL_WORLD_VALUE_LUT_DATA);
    let transform = if table.is_empty() {
        RealWorldTransform::Linear {
            slope: item.float(tags::REAL_WORLD_VALUE_SLOPE)?,
            intercept: item.float(tags::REAL_WORLD_VALUE_INTERCEPT)?,
        }
    } else {
        RealWorldTransform::Table(table.into_iter().take(MOST_ENTRIES).collect())
    };
    let unit = item.item(tags::MEASUREMENT_UNITS_CODE_SEQUENCE);
    let text = |view: Option<View<'_>>, tag| view.and_then(|v| v.string(tag)).unwrap_or_default();
    // Quantity Definition (C.7.6.16.2.11.1.2): the item whose concept is "Quantity" says what is measured.
    let quantity = item.item(tags::QUANTITY_DEFINITION_SEQUENCE).and_then(|q| q.item(tags::CONCEPT_CODE_SEQUENCE));
    let quantity = Some(text(quantity, tags::CODE_MEANING)).filter(|q| !q.is_empty());
    Some(RealWorldMap {
        first: first.min(last),
        last: first.max(last),
        transform,
        unit: text(unit, tags::CODE_VALUE),
        unit_meaning: text(unit, tags::CODE_MEANING),
        label: item.string(tags::LUT_LABEL).unwrap_or_default(),
        quantity: quantity.or_else(|| item.string(tags::LUT_EXPLANATION)).unwrap_or_default(),
    })
}
