//! The metrics of the stream, all in one place.

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use std::time::Duration;

use crate::close::CloseCause;
use blockwright_flashblocks::Form;

use crate::encoding::{Codec, Encoding};

const SUBSCRIBERS: &str = "blockwright_stream_subscribers";
const FRAMES: &str = "blockwright_stream_frames_total";
const FRAME_SIZE: &str = "blockwright_stream_frame_bytes";
const ENCODE: &str = "blockwright_stream_encode_seconds";
const SENT: &str = "blockwright_stream_sent_frames_total";
const SENT_BYTES: &str = "blockwright_stream_sent_bytes_total";
const DROPPED: &str = "blockwright_stream_handover_dropped_total";
const GAPS: &str = "blockwright_stream_gaps_total";
const CLOSED: &str = "blockwright_stream_closed_total";
const REFUSED: &str = "blockwright_stream_refused_total";
const ACCEPT_ERRORS: &str = "blockwright_stream_accept_errors_total";
const RING_FRAMES: &str = "blockwright_stream_ring_frames";
const RING_BYTES: &str = "blockwright_stream_ring_bytes";
const RESUMED: &str = "blockwright_stream_resumed_total";
const COMPRESS: &str = "blockwright_stream_compress_seconds";
const COMPRESSED_BYTES: &str = "blockwright_stream_compressed_bytes_total";
const COMPRESS_REFUSED: &str = "blockwright_stream_compress_refused_total";
const SIGN: &str = "blockwright_stream_sign_seconds";
const UNSIGNED: &str = "blockwright_stream_unsigned_total";
const FORM: &str = "blockwright_stream_form_seconds";
const FORM_BYTES: &str = "blockwright_stream_form_bytes_total";
const FORM_REFUSED: &str = "blockwright_stream_form_refused_total";
const FORM_FAILED: &str = "blockwright_stream_form_failed_total";
const NOTICES: &str = "blockwright_stream_notices_total";
const NOTICES_DROPPED: &str = "blockwright_stream_notices_dropped_total";
const LAST_FRAME: &str = "blockwright_stream_last_frame_timestamp_seconds";

/// Tells the recorder what each metric means.
pub(crate) fn describe() {
    describe_frames();
    describe_peers();
    // What an alert watches has to be there before the first event, or the first one is missed.
    for name in [
        DROPPED,
        GAPS,
        UNSIGNED,
        NOTICES_DROPPED,
        ACCEPT_ERRORS,
        FORM_REFUSED,
    ] {
        counter!(name).increment(0);
    }
}

fn describe_frames() {
    describe_counter!(FRAMES, Unit::Count, "Flashblocks published");
    describe_histogram!(FRAME_SIZE, Unit::Bytes, "Size of a frame");
    describe_histogram!(ENCODE, Unit::Seconds, "Time to encode a flashblock");
    describe_counter!(
        DROPPED,
        Unit::Count,
        "Flashblocks that found the encoder's queue full or the encoder gone"
    );
    describe_counter!(
        GAPS,
        Unit::Count,
        "Times all subscribers were told to reconnect because flashblocks were lost"
    );
    describe_gauge!(RING_FRAMES, Unit::Count, "Frames held for those who resume");
    describe_gauge!(
        RING_BYTES,
        Unit::Bytes,
        "Bytes held for those who resume: frames in every form made, and what they are made of"
    );
    describe_forms();
}

fn describe_forms() {
    describe_histogram!(
        SIGN,
        Unit::Seconds,
        "Time to hash and to sign a flashblock, which its frames wait for"
    );
    describe_counter!(
        UNSIGNED,
        Unit::Count,
        "Flashblocks sent without a signature although there is a key"
    );
    describe_histogram!(
        FORM,
        Unit::Seconds,
        "Time to make a frame of another form than v1 with full metadata, by form"
    );
    describe_counter!(
        FORM_BYTES,
        Unit::Bytes,
        "Bytes of frames of other forms, by form"
    );
    describe_counter!(
        FORM_REFUSED,
        Unit::Count,
        "Frames of other forms that found the making thread's queue full"
    );
    describe_counter!(
        FORM_FAILED,
        Unit::Count,
        "Flashblocks that have no frame of a form, by form"
    );
    describe_histogram!(
        COMPRESS,
        Unit::Seconds,
        "Time to compress a frame, by codec"
    );
    describe_counter!(
        COMPRESSED_BYTES,
        Unit::Bytes,
        "Bytes of compressed frames, by codec"
    );
    describe_counter!(
        COMPRESS_REFUSED,
        Unit::Count,
        "Frames that found a compressing thread's queue full, by codec"
    );
    describe_notices();
    describe_gauge!(
        LAST_FRAME,
        Unit::Seconds,
        "Unix time of the last published flashblock"
    );
}

fn describe_notices() {
    describe_counter!(NOTICES, Unit::Count, "Notices of ended payloads, by type");
    describe_counter!(
        NOTICES_DROPPED,
        Unit::Count,
        "Notices that found the encoder's queue full or the encoder gone"
    );
}

fn describe_peers() {
    describe_gauge!(SUBSCRIBERS, Unit::Count, "Subscribers being served");
    describe_counter!(SENT, Unit::Count, "Frames handed to subscribers' sockets");
    describe_counter!(
        SENT_BYTES,
        Unit::Bytes,
        "Frame bytes handed to subscribers' sockets"
    );
    describe_counter!(
        RESUMED,
        Unit::Count,
        "Subscribers that resumed at a position"
    );
    describe_counter!(CLOSED, Unit::Count, "Subscribers that left, by cause");
    describe_counter!(
        REFUSED,
        Unit::Count,
        "Connections that never became subscribers, by reason"
    );
    describe_counter!(
        ACCEPT_ERRORS,
        Unit::Count,
        "Failed accepts of the listening socket"
    );
}

/// A flashblock of ours was encoded and is in the ring.
pub(crate) fn encoded(size_bytes: usize, took: Duration) {
    histogram!(ENCODE).record(took.as_secs_f64());
    published(size_bytes);
}

pub(crate) fn signed(took: Duration) {
    histogram!(SIGN).record(took.as_secs_f64());
}

pub(crate) fn unsigned() {
    counter!(UNSIGNED).increment(1);
}

/// A flashblock is in the ring.
pub(crate) fn published(size_bytes: usize) {
    counter!(FRAMES).increment(1);
    histogram!(FRAME_SIZE).record(size_bytes as f64);
    if let Ok(now) = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        gauge!(LAST_FRAME).set(now.as_secs_f64());
    }
}

pub(crate) fn handover_dropped() {
    counter!(DROPPED).increment(1);
}

pub(crate) fn gap() {
    counter!(GAPS).increment(1);
}

/// What the ring holds.
pub(crate) fn ring(frames: usize, size_bytes: usize) {
    gauge!(RING_FRAMES).set(frames as f64);
    gauge!(RING_BYTES).set(size_bytes as f64);
}

pub(crate) fn resumed() {
    counter!(RESUMED).increment(1);
}

pub(crate) fn compressed(codec: Codec, size_bytes: usize, took: Duration) {
    histogram!(COMPRESS, "codec" => codec.label()).record(took.as_secs_f64());
    counter!(COMPRESSED_BYTES, "codec" => codec.label()).increment(size_bytes as u64);
}

/// A frame found the queue of the thread that would make it full.
pub(crate) fn refused_to_make(encoding: Encoding) {
    match encoding {
        Encoding::Plain => counter!(FORM_REFUSED).increment(1),
        Encoding::Packed(codec) => {
            counter!(COMPRESS_REFUSED, "codec" => codec.label()).increment(1);
        }
    }
}

pub(crate) fn formed(form: Form, size_bytes: usize, took: Duration) {
    let (dialect, metadata) = (form.dialect().name(), form.metadata().name());
    histogram!(FORM, "dialect" => dialect, "metadata" => metadata).record(took.as_secs_f64());
    counter!(FORM_BYTES, "dialect" => dialect, "metadata" => metadata).increment(size_bytes as u64);
}

pub(crate) fn not_formed(form: Form) {
    let (dialect, metadata) = (form.dialect().name(), form.metadata().name());
    counter!(FORM_FAILED, "dialect" => dialect, "metadata" => metadata).increment(1);
}

pub(crate) fn notice(kind: &'static str) {
    counter!(NOTICES, "type" => kind).increment(1);
}

pub(crate) fn notice_dropped() {
    counter!(NOTICES_DROPPED).increment(1);
}

pub(crate) fn sent(size_bytes: usize) {
    counter!(SENT).increment(1);
    counter!(SENT_BYTES).increment(size_bytes as u64);
}

pub(crate) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

pub(crate) fn accept_error() {
    counter!(ACCEPT_ERRORS).increment(1);
}

/// One subscriber in the gauge for as long as this lives.
pub(crate) struct Subscribed;

impl Subscribed {
    pub(crate) fn new() -> Self {
        gauge!(SUBSCRIBERS).increment(1.0);
        Self
    }

    pub(crate) fn closed(self, cause: &CloseCause) {
        counter!(CLOSED, "cause" => cause.label()).increment(1);
    }
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        gauge!(SUBSCRIBERS).decrement(1.0);
    }
}
