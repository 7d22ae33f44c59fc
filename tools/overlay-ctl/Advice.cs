using System;
using System.IO;
using Overlay.Crypto;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

/// <summary>What to do next, by what went wrong; null where the message says it, or nobody can know.</summary>
internal static class Advice
{
    private const int NoSpace = 28, NoPermission = 13, NotPermitted = 1, ReadOnly = 30, Quota = 122;

    internal static string? For(Exception exception) => exception switch
    {
        VolumeException volume => For(volume.Error),
        ErrnoException { Errno: NoSpace or Quota } => "Make room, and run the same command again.",
        ErrnoException { Errno: NoPermission or NotPermitted } or UnauthorizedAccessException => "Run it as the owner of the volume, or as root.",
        ErrnoException { Errno: ReadOnly } => "The file system is mounted read-only: mount it for writing.",
        FileNotFoundException or DirectoryNotFoundException => "Look at the path: is it spelt as it is, and is what it lies on mounted?",
        _ => null,
    };

    private static string? For(VolumeError error) => error switch
    {
        VolumeError.NotAVolume => "Name the volume's own directory; 'overlay-ctl init' makes a directory a volume.",
        VolumeError.NotADirectory => "Name the volume's directory; is what it lies on mounted?",
        VolumeError.AlreadyAVolume => "'overlay-ctl key add' lets another key unlock it; to begin anew, give another directory.",
        VolumeError.NotEmpty => "'overlay-ctl init --non-empty' accepts the files, and 'overlay-ctl import' seals them then.",
        VolumeError.StoreExists => "Give another --store.",
        VolumeError.StoreMissing => "Is what it lies on mounted? If it is lost, 'overlay-ctl store restore' puts a copy in its place.",
        VolumeError.StoreDamaged => "'overlay-ctl store verify' says what is wrong with a store or a copy, 'overlay-ctl store restore' puts a copy in the store's place.",
        VolumeError.TooNew => "Use the version of Overlay that wrote it, or a newer one.",
        VolumeError.Busy => "Run the same command again when that has ended.",
        VolumeError.StoreUnavailable => "Run it as the owner of the volume, or as root; 'overlay-ctl doctor --volume VOLUME' looks at permissions and the disk.",
        VolumeError.DiskFull => "Make room, and run the same command again.",
        VolumeError.ConfigDamaged => "Put .overlay/config.json back from a backup of the volume; the store and the files are not touched by it.",
        VolumeError.WrongKey or VolumeError.NoSuchSlot => "'overlay-ctl key list VOLUME' shows which keys unlock it; it needs none.",
        VolumeError.LastSlot => "'overlay-ctl key add' makes another one first.",
        VolumeError.SlotNotReady => "Unlock the volume once with that slot's key, then run the same command again.",
        VolumeError.UnusableKey => "Give another key; 'overlay-ctl key list VOLUME' shows which unlock the volume.",
        _ => null,
    };
}
