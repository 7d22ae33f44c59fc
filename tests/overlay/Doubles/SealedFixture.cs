using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;

namespace Overlay.Tests.Doubles;

/// <summary>How a test file is sealed.</summary>
public sealed record Recipe(CipherSuite Suite, bool Compresses, int BlockSizeLog2)
{
    public int VolumeBlockSizeLog2 { get; init; } = BlockSizeLog2;

    public int BlockSize => 1 << BlockSizeLog2;

    public Geometry Geometry => new(BlockSizeLog2);
}

/// <summary>A sealed file over a backing in memory, with everything it needs.</summary>
public sealed class SealedFixture
{
    public const uint FirstBoot = 0x11111111;

    public static readonly byte[] VolumeId = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    public static readonly byte[] FileId = [21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36];
    public static readonly byte[] SecretKey = MakeKey(7);

    /// <summary>What a file is given when its key is replaced.</summary>
    public static readonly byte[] NextKey = MakeKey(11);

    // One small cache for all tests: eviction happens, and stamps must keep files apart.
    private static readonly BlockCache s_cache = new(1 << 20);

    public SealedFixture(Recipe recipe, MemoryBacking? backing = null)
    {
        Recipe = recipe;
        Backing = backing ?? new MemoryBacking();
        if (backing is CutBacking cut)
            Redo = new MemoryRedo(() => cut.IsDead);
    }

    public Recipe Recipe { get; }

    public MemoryBacking Backing { get; set; }

    public BlockCache Cache { get; set; } = s_cache;

    public uint BootWord { get; set; } = FirstBoot;

    public CountingLock Lock { get; private set; } = new();

    public CountingCoherence Coherence { get; private set; } = new();

    public MemoryRedo Redo { get; private set; } = new(() => false);

    internal ThreadHelper? Helper { get; set; }

    public ListLog Log { get; } = new();

    /// <summary>The next key is there from the start: whether the file has come to it, the file says.</summary>
    public TestKeys Keys { get; set; } = new(SecretKey, NextKey);

    /// <summary>Blocks keep their base also where the file was synced: what then must not be overwritten is the most there can be.</summary>
    public bool KeepsBases { get; set; }

    public FileContext Context =>
        new(Backing, Lock, Coherence, Redo, Log, Cache, VolumeId, BootWord, Recipe.VolumeBlockSizeLog2)
        {
            Keys = Keys, IsSettledAtLast = true, IsBaseAlwaysKept = KeepsBases, Helper = Helper,
        };

    /// <summary>A new fixture with an empty sealed file.</summary>
    public static SealedFixture Create(Recipe recipe, MemoryBacking? backing = null, byte[]? fileId = null)
    {
        SealedFixture fixture = new(recipe, backing);
        SealedFile.Create(fixture.Context, recipe.Compresses, recipe.BlockSizeLog2, fileId ?? FileId, DataKey.Import(recipe.Suite, SecretKey)).Dispose();
        return fixture;
    }

    public SealedFile Open()
    {
        OpenResult result = SealedFile.Open(Context, Keys, out SealedFile? file);
        return file ?? throw new ErrnoException(Errno.EIO, $"open: {result.Status} {result.Reason}");
    }

    /// <summary>Every process was killed: locks are free, in the same boot.</summary>
    public void Kill()
    {
        Lock = new CountingLock();
        Coherence = new CountingCoherence();
    }

    /// <summary>Its process was killed in a call of <paramref name="dead"/>: what is left is another one's.</summary>
    public void KillIn(CutBacking dead)
    {
        Kill();
        Coherence.BeginWrite(); // and nobody ends it
        Backing = dead.Clone();
        Redo = Redo.Inherit(() => false);
    }

    /// <summary>Another boot: nobody holds a lock, counters start anew.</summary>
    public void Reboot()
    {
        BootWord += 0x01010101;
        Lock = new CountingLock();
        Coherence = new CountingCoherence();
    }

    public static byte[] MakeKey(int factor)
    {
        byte[] key = new byte[DataKey.KeySize];
        for (int i = 0; i < key.Length; i++)
            key[i] = (byte)(factor * i + 3);
        return key;
    }
}

/// <summary>Operations with the locking around them.</summary>
public static class SealedFileExtensions
{
    public static int WriteAt(this SealedFile file, long offset, ReadOnlySpan<byte> data)
    {
        file.EnterWrite();
        try
        {
            return file.Write(offset, data);
        }
        finally
        {
            file.ExitWrite();
        }
    }

    public static void Resize(this SealedFile file, long length)
    {
        file.EnterWrite();
        try
        {
            file.SetLength(length);
        }
        finally
        {
            file.ExitWrite();
        }
    }

    public static void Punch(this SealedFile file, long offset, long length)
    {
        file.EnterWrite();
        try
        {
            file.PunchHole(offset, length);
        }
        finally
        {
            file.ExitWrite();
        }
    }

    public static byte[] ReadBytes(this SealedFile file, long offset, int count)
    {
        byte[] bytes = new byte[count];
        int read = file.Read(offset, bytes);
        return bytes[..read];
    }
}
