// HTJ2K by the system's OpenJPH, behind one C function. OpenJPH tells errors by exceptions and prints them; here they
// are caught and nothing is printed. Nothing is written beyond the caller's buffer, whatever the library gives.

#include <openjph/ojph_arch.h>
#include <openjph/ojph_base.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_message.h>
#include <openjph/ojph_params.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>

namespace {

// The library prints before it throws. Its handlers cannot be replaced in every version (0.9 ignores the wish), but
// where they print to can.
void be_quiet() {
    static std::once_flag once;
    std::call_once(once, [] {
#ifdef _WIN32
        std::FILE *nowhere = std::fopen("NUL", "w");
#else
        std::FILE *nowhere = std::fopen("/dev/null", "w");
#endif
        if (nowhere != nullptr) {
            ojph::set_error_stream(nowhere);
            ojph::set_warning_stream(nowhere);
            ojph::set_info_stream(nowhere);
        }
    });
}

enum outcome : int { decoded = 0, refused = 1, other_headers = 2 };

int decode(const std::uint8_t *data, std::size_t length, std::uint32_t columns, std::uint32_t rows,
           std::uint32_t components, std::uint32_t precision, bool is_signed, std::uint16_t *out, std::size_t count) {
    ojph::mem_infile file;
    file.open(data, length);
    ojph::codestream codestream;
    codestream.read_headers(&file);

    // Nothing is decoded before the library sees what the caller saw.
    ojph::param_siz siz = codestream.access_siz();
    if (siz.get_num_components() != components || count != std::size_t(columns) * rows * components)
        return other_headers;
    for (ojph::ui32 c = 0; c < components; ++c) {
        const ojph::point step = siz.get_downsampling(c);
        if (siz.get_recon_width(c) != columns || siz.get_recon_height(c) != rows || siz.get_bit_depth(c) != precision ||
            siz.is_signed(c) != is_signed || step.x != 1 || step.y != 1)
            return other_headers;
    }
    codestream.create();

    const std::int32_t low = is_signed ? -(std::int32_t(1) << (precision - 1)) : 0;
    const std::int32_t high = low + std::int32_t((std::uint32_t(1) << precision) - 1);
    // Lines of the components come in turn, or plane after plane: the library says whose each is.
    std::uint32_t next_row[3] = {0, 0, 0};
    for (std::uint64_t n = std::uint64_t(rows) * components; n > 0; --n) {
        ojph::ui32 component = 0;
        const ojph::line_buf *line = codestream.pull(component);
        if (line == nullptr || line->i32 == nullptr || line->size < columns || component >= components ||
            next_row[component] >= rows)
            return refused;
        std::uint16_t *to = out + std::size_t(next_row[component]++) * columns * components + component;
        for (std::uint32_t x = 0; x < columns; ++x, to += components) {
            const std::int32_t value = line->i32[x];
            *to = std::uint16_t(value < low ? low : value > high ? high : value);
        }
    }
    codestream.close();
    return decoded;
}

} // namespace

// Gives interleaved samples of 16 bits (two's complement where they are signed) in `out`, which has room for `count`.
extern "C" int dokuei_openjph_decode(const std::uint8_t *data, std::size_t length, std::uint32_t columns,
                                     std::uint32_t rows, std::uint32_t components, std::uint32_t precision,
                                     int is_signed, std::uint16_t *out, std::size_t count) {
    if (components < 1 || components > 3 || precision < 1 || precision > 16)
        return other_headers;
    try {
        be_quiet();
        return decode(data, length, columns, rows, components, precision, is_signed != 0, out, count);
    } catch (...) {
        return refused;
    }
}
