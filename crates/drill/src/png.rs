//! A picture to upload: small, valid, and different for every number.

const SIDE: u32 = 8;

/// A PNG of 8 × 8 pixels whose colours follow from `seed` (PNG specification, RFC 1950, RFC 1951).
///
/// The data is stored and not compressed: a compressor would be more code than the rest of the upload.
pub(crate) fn picture(seed: u64) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(SIDE.to_be_bytes());
    header.extend(SIDE.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);

    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    append_chunk(&mut png, *b"IHDR", &header);
    append_chunk(&mut png, *b"IDAT", &zlib_stored(&scanlines(seed)));
    append_chunk(&mut png, *b"IEND", &[]);
    png
}

fn scanlines(seed: u64) -> Vec<u8> {
    let mut lines = Vec::new();
    for row in 0..u64::from(SIDE) {
        lines.push(0);
        for column in 0..u64::from(SIDE) {
            let colour = crate::random::number(seed, row * u64::from(SIDE) + column);
            lines.extend(&colour.to_be_bytes()[..3]);
        }
    }
    lines
}

fn zlib_stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("8 rows of 25 bytes fit in one stored block");
    let mut zlib = vec![0x78, 0x01, 0x01];
    zlib.extend(length.to_le_bytes());
    zlib.extend((!length).to_le_bytes());
    zlib.extend(data);
    zlib.extend(adler32(data).to_be_bytes());
    zlib
}

fn append_chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("a chunk of this picture is a few hundred bytes");
    png.extend(length.to_be_bytes());
    let start = png.len();
    png.extend(name);
    png.extend(data);
    let checksum = crc32(&png[start..]);
    png.extend(checksum.to_be_bytes());
}

fn adler32(data: &[u8]) -> u32 {
    let (low, high) = data.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    (high << 16) | low
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_the_published_check_values() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    }

    #[test]
    fn every_picture_is_another_and_small() {
        let pictures: std::collections::BTreeSet<Vec<u8>> = (0..500).map(picture).collect();
        assert_eq!(pictures.len(), 500);
        assert!(pictures.iter().all(|picture| picture.len() < 400));
    }
}
