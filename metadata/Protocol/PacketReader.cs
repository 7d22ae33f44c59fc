using System;
using System.Buffers.Binary;
using System.Text;

namespace Overlay.Metadata.Protocol;

/// <summary>
/// Takes the fields of one packet from front to back. A field that is not there reads as zero and makes
/// <see cref="IsComplete"/> false, so a handler takes all its fields and then asks once.
/// </summary>
internal ref struct PacketReader
{
    private ReadOnlySpan<byte> _rest;
    private bool _failed;

    internal PacketReader(ReadOnlySpan<byte> packet)
    {
        _rest = packet;
        Kind = UInt16();
        Status = UInt16();
        Request = UInt32();
    }

    internal ushort Kind { get; }

    internal ushort Status { get; }

    internal uint Request { get; }

    /// <summary>Every field asked for was there, and nothing follows.</summary>
    internal readonly bool IsComplete => !_failed && _rest.IsEmpty;

    /// <summary>Something follows, and nothing was missing.</summary>
    internal readonly bool HasMore => !_failed && !_rest.IsEmpty;

    internal byte Byte()
    {
        ReadOnlySpan<byte> field = Bytes(1);
        return field.IsEmpty ? (byte)0 : field[0];
    }

    internal ushort UInt16()
    {
        ReadOnlySpan<byte> field = Bytes(2);
        return field.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16LittleEndian(field);
    }

    internal uint UInt32()
    {
        ReadOnlySpan<byte> field = Bytes(4);
        return field.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(field);
    }

    internal ulong UInt64()
    {
        ReadOnlySpan<byte> field = Bytes(8);
        return field.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(field);
    }

    /// <returns>The field, or an empty span if the packet is too short.</returns>
    internal ReadOnlySpan<byte> Bytes(int size)
    {
        if (size > _rest.Length)
        {
            _failed = true;
            return default;
        }
        ReadOnlySpan<byte> field = _rest[..size];
        _rest = _rest[size..];
        return field;
    }

    /// <summary>Bytes that are not UTF-8 become U+FFFD: a text here is for people, never for opening files.</summary>
    internal string Text()
    {
        int length = UInt16();
        if (length > AgentMessage.MaxText)
        {
            _failed = true;
            return "";
        }
        return Encoding.UTF8.GetString(Bytes(length));
    }
}
