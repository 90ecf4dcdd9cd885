use alloy_primitives::{b256, hex, keccak256};
use proptest::prelude::*;

use super::*;

const SIGNATURES: [(L1AttributesFormat, &str); 4] = [
    (
        L1AttributesFormat::Bedrock,
        "setL1BlockValues(uint64,uint64,uint256,bytes32,uint64,bytes32,uint256,uint256)",
    ),
    (L1AttributesFormat::Ecotone, "setL1BlockValuesEcotone()"),
    (L1AttributesFormat::Isthmus, "setL1BlockValuesIsthmus()"),
    (L1AttributesFormat::Jovian, "setL1BlockValuesJovian()"),
];

#[test]
fn selectors_are_those_of_the_signatures() {
    for (format, signature) in SIGNATURES {
        assert_eq!(format.selector(), keccak256(signature)[..4], "{signature}");
    }
}

#[test]
fn op_mainnets_bedrock_calldata_is_read() {
    // Block 107728767.
    let calldata = hex!(
        "015d8eb90000000000000000000000000000000000000000000000000000000001101ed60000000000000000000000000000000000000000000000000000000064cb786b00000000000000000000000000000000000000000000000000000003a09bf636935e3dd6de6916fd57a01e6e1d97481ea99010e1ab12c09910fd975fd356896c00000000000000000000000000000000000000000000000000000000000000020000000000000000000000006887246668a3b87f54deb3b94ba47a6f63f3298500000000000000000000000000000000000000000000000000000000000000bc00000000000000000000000000000000000000000000000000000000000a6fe0"
    );
    let (format, attributes) = L1Attributes::parse(&calldata).unwrap();
    assert_eq!(format, L1AttributesFormat::Bedrock);
    let expected = L1Attributes {
        number: 17_833_686,
        timestamp: 1_691_056_235,
        base_fee: U256::from(15_579_477_558_u64),
        hash: b256!("935e3dd6de6916fd57a01e6e1d97481ea99010e1ab12c09910fd975fd356896c"),
        sequence_number: 2,
        batcher_hash: address!("6887246668a3b87f54deb3b94ba47a6f63f32985").into_word(),
        l1_fee_overhead: U256::from(188),
        l1_fee_scalar: U256::from(684_000),
        ..L1Attributes::default()
    };
    assert_eq!(attributes, expected);
    assert_eq!(attributes.encode(format).as_ref(), calldata);
}

#[test]
fn op_sepolias_ecotone_calldata_is_read() {
    // Block 26207960.
    let calldata = hex!(
        "440a5e2000001db0000d273000000000000000000000000067f6a91000000000007b5f410000000000000000000000000000000000000000000000000000000001d276cd00000000000000000000000000000000000000000000000000000000000000019244875342f5e0c1624d00f249b1a7996137b1eb44bdf16396f98f76a1bec6fa0000000000000000000000008f23bb38f531600e5d8fddaaec41f13fab46e98c"
    );
    let (format, attributes) = L1Attributes::parse(&calldata).unwrap();
    assert_eq!(format, L1AttributesFormat::Ecotone);
    let expected = L1Attributes {
        number: 8_085_313,
        timestamp: 0x67f6_a910,
        base_fee: U256::from(30_570_189),
        hash: b256!("9244875342f5e0c1624d00f249b1a7996137b1eb44bdf16396f98f76a1bec6fa"),
        batcher_hash: address!("8f23bb38f531600e5d8fddaaec41f13fab46e98c").into_word(),
        blob_base_fee: U256::ONE,
        base_fee_scalar: 7_600,
        blob_base_fee_scalar: 862_000,
        ..L1Attributes::default()
    };
    assert_eq!(attributes, expected);
    assert_eq!(attributes.encode(format).as_ref(), calldata);
}

#[test]
fn flaws_are_told_apart() {
    assert_eq!(
        L1Attributes::parse(&[]),
        Err(L1AttributesError::NoSelector(0))
    );
    assert_eq!(
        L1Attributes::parse(&[1, 2, 3]),
        Err(L1AttributesError::NoSelector(3))
    );
    assert_eq!(
        L1Attributes::parse(&hex!("deadbeef00")),
        Err(L1AttributesError::Selector(0xdead_beef))
    );
    for format in L1AttributesFormat::ALL {
        let good = L1Attributes::default().encode(format);
        assert_eq!(good.len(), format.size_bytes());
        let long = [good.as_ref(), &[0]].concat();
        for bad in [&good[..good.len() - 1], &good[..4], &long] {
            let error = L1AttributesError::Length {
                format,
                got: bad.len(),
            };
            assert_eq!(L1Attributes::parse(bad), Err(error));
        }
    }
    for (word, name) in [(0, "number"), (1, "timestamp"), (4, "sequenceNumber")] {
        let mut calldata = L1Attributes::default()
            .encode(L1AttributesFormat::Bedrock)
            .to_vec();
        calldata[4 + 32 * word] = 1;
        assert_eq!(
            L1Attributes::parse(&calldata),
            Err(L1AttributesError::Range(name))
        );
    }
}

#[test]
fn formats_begin_with_their_forks() {
    use L1AttributesFormat as L;
    let formats: Vec<_> = OpFork::ALL.into_iter().map(L::of_fork).collect();
    let expected = [
        L::Bedrock,
        L::Bedrock,
        L::Bedrock,
        L::Ecotone,
        L::Ecotone,
        L::Ecotone,
        L::Ecotone,
        L::Isthmus,
        L::Jovian,
        L::Jovian,
    ];
    assert_eq!(formats, expected);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(format in 0..4_usize, mut calldata in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(selector) = calldata.first_chunk_mut::<4>() {
            *selector = L1AttributesFormat::ALL[format].selector();
        }
        if let Ok((format, attributes)) = L1Attributes::parse(&calldata) {
            prop_assert_eq!(attributes.encode(format), Bytes::from(calldata));
        }
    }

    #[test]
    fn packed_calldata_of_the_right_length_is_read_whole(format in 1..4_usize, mut calldata in prop::collection::vec(any::<u8>(), 178)) {
        let format = L1AttributesFormat::ALL[format];
        calldata.truncate(format.size_bytes());
        calldata[..4].copy_from_slice(&format.selector());
        let (read, attributes) = L1Attributes::parse(&calldata).unwrap();
        prop_assert_eq!(read, format);
        prop_assert_eq!(attributes.encode(format), Bytes::from(calldata));
    }
}
