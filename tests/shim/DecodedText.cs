using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using Iced.Intel;

namespace Overlay.Shim.Tests;

/// <summary>The code of an ELF file, decoded from end to end by a decoder that is not the patcher's.</summary>
internal sealed class DecodedText
{
    private const ulong Executable = 4;    // SHF_EXECINSTR

    public Dictionary<ulong, Instruction> Instructions { get; } = [];

    /// <summary>Where direct jumps, branches and calls lead.</summary>
    public HashSet<ulong> Targets { get; } = [];

    public DecodedText(string elfFile)
    {
        ReadOnlySpan<byte> file = File.ReadAllBytes(elfFile);
        var table = (int)BinaryPrimitives.ReadUInt64LittleEndian(file[0x28..]);
        int entry = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3a..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3c..]);
        for (var i = 0; i < count; i++)
        {
            var section = file.Slice(table + (i * entry), entry);
            if ((BinaryPrimitives.ReadUInt64LittleEndian(section[0x8..]) & Executable) != 0)
                DecodeSection(file, BinaryPrimitives.ReadUInt64LittleEndian(section[0x10..]),
                              (int)BinaryPrimitives.ReadUInt64LittleEndian(section[0x18..]),
                              (int)BinaryPrimitives.ReadUInt64LittleEndian(section[0x20..]));
        }
    }

    private void DecodeSection(ReadOnlySpan<byte> file, ulong address, int offset, int size)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(file.Slice(offset, size).ToArray()));
        decoder.IP = address;
        while (decoder.IP < address + (ulong)size)
        {
            var instruction = decoder.Decode();
            Instructions[instruction.IP] = instruction;
            if (instruction.Op0Kind is OpKind.NearBranch64)
                Targets.Add(instruction.NearBranchTarget);
        }
    }
}
