package parley.admission;

/** What crosses nodes or is journaled, as Jackson CBOR; bound in reference.conf. */
interface CborSerializable {}
