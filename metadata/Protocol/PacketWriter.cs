using System;
using System.Buffers.Binary;
using System.Text;

namespace Overlay.Metadata.Protocol;

/// <summary>Puts the fields of one packet behind each other. Overrunning the buffer is a fault of ours and throws.</summary>
internal ref struct PacketWriter
{
    private readonly Span<byte> _buffer;
    private int _length;

    internal PacketWriter(Span<byte> buffer, ushort kind, ushort status, uint request)
    {
        _buffer = buffer;
        UInt16(kind);
        UInt16(status);
        UInt32(request);
    }

    internal readonly int Length => _length;

    internal readonly int Room => _buffer.Length - _length;

    internal void Byte(byte value) => Reserve(1)[0] = value;

    internal void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Reserve(2), value);

    internal void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);

    internal void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);

    internal void Bytes(scoped ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <returns>False, with nothing written, if the text is longer than a text may be.</returns>
    internal bool TryText(string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        if (length > AgentMessage.MaxText)
            return false;
        UInt16((ushort)length);
        Encoding.UTF8.GetBytes(text, Reserve(length));
        return true;
    }

    /// <summary>Writes over two bytes that were written before: a count known only at the end.</summary>
    internal readonly void SetUInt16(int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[offset.._length], value);

    internal Span<byte> Reserve(int size)
    {
        Span<byte> field = _buffer.Slice(_length, size);
        _length += size;
        return field;
    }
}
