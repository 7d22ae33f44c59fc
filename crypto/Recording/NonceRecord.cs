using System;
using System.Runtime.InteropServices;
using System.Text;
using NSec.Cryptography;

namespace Overlay.Crypto;

/// <summary>
/// What a recording build writes down before each seal, of every process, into one file: <c>$OVERLAY_RUNTIME_DIR/nonces.record</c>, the
/// directory that agents and programs of a test have in common. Not a part of the shipped build (docs/reliability.md, nonces).
/// <code>
/// OFFSET SIZE FIELD
///   0    16   fingerprint: BLAKE2b-256 of "overlay nonce record" | key, its first bytes; never the key
///  16    32   the algorithm's nonce (format §3), zeros behind it
///  48     4   process id
///  52     4   how many bytes of the nonce the algorithm takes
///  56     8   magic
/// </code>
/// One append for a record: the kernel keeps it whole, and it stays when the process is killed right behind it.
/// </summary>
internal static unsafe partial class NonceRecord
{
    public const int FingerprintSize = 16, NonceSize = 32;

    private const int RecordSize = 64, ProcessOffset = 48, LengthOffset = 52, MagicOffset = 56;
    private const int WriteOnly = 1, Create = 0x40, Append = 0x400, CloseOnExec = 0x80000;
    private const int NoPlace = 2;

    /// <summary>Zero-terminated.</summary>
    private static readonly byte[] s_path = FindPath();

    private static ReadOnlySpan<byte> Magic => "\nNONCE1\n"u8;

    /// <exception cref="ErrnoException">It cannot be written down; nothing may be sealed then.</exception>
    public static void Add(ReadOnlySpan<byte> fingerprint, ReadOnlySpan<byte> nonce)
    {
        byte* record = stackalloc byte[RecordSize];
        Span<byte> fields = new(record, RecordSize);
        fields.Clear();
        fingerprint[..FingerprintSize].CopyTo(fields);
        nonce.CopyTo(fields[FingerprintSize..ProcessOffset]);
        *(int*)(record + ProcessOffset) = ProcessId();
        *(int*)(record + LengthOffset) = nonce.Length;
        Magic.CopyTo(fields[MagicOffset..]);
        // Opened each time: descriptors that stay would have to survive close_range, fork and exec.
        int file;
        fixed (byte* path = s_path)
            file = Open(path, WriteOnly | Create | Append | CloseOnExec, 0x180);
        if (file < 0)
            throw new ErrnoException(Marshal.GetLastPInvokeError(), "the record of nonces cannot be opened");
        nint written = Write(file, record, RecordSize);
        _ = Close(file);
        if (written != RecordSize)
            throw new ErrnoException(5, "the record of nonces cannot be written");
    }

    public static void Identify(ReadOnlySpan<byte> key, Span<byte> fingerprint)
    {
        Span<byte> hash = stackalloc byte[32];
        IncrementalHash.Initialize(HashAlgorithm.Blake2b_256, out IncrementalHash state);
        IncrementalHash.Update(ref state, "overlay nonce record"u8);
        IncrementalHash.Update(ref state, key);
        IncrementalHash.Finalize(ref state, hash);
        hash[..FingerprintSize].CopyTo(fingerprint);
    }

    private static byte[] FindPath()
    {
        if (Environment.GetEnvironmentVariable("OVERLAY_RUNTIME_DIR") is not { Length: > 0 } directory)
            throw new ErrnoException(NoPlace, "a recording build needs OVERLAY_RUNTIME_DIR");
        return [.. Encoding.UTF8.GetBytes(directory), .. "/nonces.record\0"u8];
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int Open(byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int file, byte* bytes, nuint size);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "getpid")]
    private static partial int ProcessId();
}
