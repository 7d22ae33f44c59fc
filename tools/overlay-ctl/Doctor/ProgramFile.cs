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
internal sealed record ProgramFile(ProgramKind Kind, string Interpreter, bool IsGo, int OwnCalls)
{
    private const int HeaderSize = 64, LongestHead = 4096, SixtyFourBit = 2, ThirtyTwoBit = 1;
    private const ushort X86SixtyFour = 62;
    private const uint LoadSegment = 1, InterpreterSegment = 3, Executable = 1;

    internal static ProgramFile Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        ReadOnlySpan<byte> head = file.AsSpan(0, Math.Min(file.Length, LongestHead));
        if (head.StartsWith("#!"u8))
            return new ProgramFile(ProgramKind.Script, ScriptInterpreter(head), false, 0);
        if (head.Length > 5 && head[0] == 0x89 && head[1..5].SequenceEqual("OVLY"u8))
            return new ProgramFile(ProgramKind.Sealed, "", false, 0);
        if (head.Length < HeaderSize || head[0] != 0x7f || !head[1..4].SequenceEqual("ELF"u8))
            return new ProgramFile(ProgramKind.Unknown, "", false, 0);
        if (head[4] == ThirtyTwoBit)
            return new ProgramFile(ProgramKind.ThirtyTwoBit, "", false, 0);
        if (head[4] != SixtyFourBit || BinaryPrimitives.ReadUInt16LittleEndian(head[18..]) != X86SixtyFour)
            return new ProgramFile(ProgramKind.OtherMachine, "", false, 0);
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
        string interpreter = "";
        int ownCalls = 0;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> segment = Part(file, table + (long)i * size, 56);
            if (segment.IsEmpty)
                break;
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(segment), flags = BinaryPrimitives.ReadUInt32LittleEndian(segment[4..]);
            ReadOnlySpan<byte> content = Part(file, BinaryPrimitives.ReadInt64LittleEndian(segment[8..]), BinaryPrimitives.ReadInt64LittleEndian(segment[32..]));
            if (type == InterpreterSegment)
                interpreter = Encoding.UTF8.GetString(content).TrimEnd('\0');
            else if (type == LoadSegment && (flags & Executable) != 0)
                ownCalls += CountCalls(content);
        }
        bool isGo = file.AsSpan().IndexOf(".go.buildinfo\0"u8) >= 0 || file.AsSpan().IndexOf(".gopclntab\0"u8) >= 0;
        return new ProgramFile(interpreter.Length == 0 ? ProgramKind.Static : ProgramKind.Dynamic, interpreter, isGo, ownCalls);
    }

    /// <summary><c>mov $number,%eax; syscall</c>: what the bytes of other instructions hardly ever make.</summary>
    private static int CountCalls(ReadOnlySpan<byte> text)
    {
        const int Length = 7, GreatestNumber = 512;
        int count = 0;
        for (int at = 0; at + Length <= text.Length; at++)
            if (text[at] == 0xb8 && text[at + 5] == 0x0f && text[at + 6] == 0x05 && BinaryPrimitives.ReadUInt32LittleEndian(text[(at + 1)..]) < GreatestNumber)
                count++;
        return count;
    }

    private static ReadOnlySpan<byte> Part(byte[] file, long offset, long length) =>
        offset < 0 || length < 0 || offset > file.Length || length > file.Length - offset ? [] : file.AsSpan((int)offset, (int)length);
}
