using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;

namespace Overlay.Ctl.Doctor;

internal enum ProgramKind
{
    /// <summary>64-bit, x86-64, with a loader.</summary>
    Dynamic,
    Static,
    ThirtyTwoBit,
    OtherMachine,
    Script,
    Sealed,
    Unknown,
}

/// <summary>What a program's file says of it, without running it.</summary>
internal sealed record ProgramFile(ProgramKind Kind, string Interpreter)
{
    private const int HeaderSize = 64, LongestHead = 4096, SixtyFourBit = 2, ThirtyTwoBit = 1;
    private const ushort X86SixtyFour = 62;
    private const uint InterpreterSegment = 3;

    internal static ProgramFile Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        ReadOnlySpan<byte> head = file.AsSpan(0, Math.Min(file.Length, LongestHead));
        if (head.StartsWith("#!"u8))
            return new ProgramFile(ProgramKind.Script, ScriptInterpreter(head));
        if (head.Length > 5 && head[0] == 0x89 && head[1..5].SequenceEqual("OVLY"u8))
            return new ProgramFile(ProgramKind.Sealed, "");
        if (head.Length < HeaderSize || head[0] != 0x7f || !head[1..4].SequenceEqual("ELF"u8))
            return new ProgramFile(ProgramKind.Unknown, "");
        if (head[4] == ThirtyTwoBit)
            return new ProgramFile(ProgramKind.ThirtyTwoBit, "");
        if (head[4] != SixtyFourBit || BinaryPrimitives.ReadUInt16LittleEndian(head[18..]) != X86SixtyFour)
            return new ProgramFile(ProgramKind.OtherMachine, "");
        return ReadSegments(file);
    }

    private static string ScriptInterpreter(ReadOnlySpan<byte> head)
    {
        int end = head.IndexOf((byte)'\n');
        string line = Encoding.UTF8.GetString(end < 0 ? head : head[..end])[2..].Trim(' ', '\t');
        return line.Split(' ', '\t')[0];
    }

    private static ProgramFile ReadSegments(byte[] file)
    {
        long table = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(32));
        int size = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(54)), count = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(56));
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> segment = Part(file, table + (long)i * size, 56);
            if (segment.IsEmpty)
                break;
            if (BinaryPrimitives.ReadUInt32LittleEndian(segment) != InterpreterSegment)
                continue;
            ReadOnlySpan<byte> name = Part(file, BinaryPrimitives.ReadInt64LittleEndian(segment[8..]), BinaryPrimitives.ReadInt64LittleEndian(segment[32..]));
            return new ProgramFile(ProgramKind.Dynamic, Encoding.UTF8.GetString(name).TrimEnd('\0'));
        }
        return new ProgramFile(ProgramKind.Static, "");
    }

    private static ReadOnlySpan<byte> Part(byte[] file, long offset, long length) =>
        offset < 0 || length < 0 || offset > file.Length || length > file.Length - offset ? [] : file.AsSpan((int)offset, (int)length);
}
