using Overlay.Metadata.Volumes;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Overlay.Ctl;

/// <summary>What overlay-ctl ends with. Stable.</summary>
internal static class ExitCodes
{
    internal const int Ok = 0;

    /// <summary>Something failed that no other code names.</summary>
    internal const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    internal const int Usage = 2;

    /// <summary>Not a volume, or the volume or its store cannot be used.</summary>
    internal const int Volume = 3;

    /// <summary>Wrong or unusable key.</summary>
    internal const int Key = 4;

    /// <summary>Damage was found in a file, or something else in a volume that is not as Overlay left it.</summary>
    internal const int Damaged = 5;

    /// <summary>No agent answers.</summary>
    internal const int NoAgent = 6;

    /// <summary>`verify`: nothing was found, but not everything could be checked.</summary>
    internal const int Unchecked = 7;

    /// <summary>`doctor`: something is not fit.</summary>
    internal const int Unfit = 8;

    /// <summary>`keys due`: something is due. `rekey --status`: something is unfinished.</summary>
    internal const int Due = 9;

    /// <summary>`policy test`: the program may not have the file.</summary>
    internal const int Denied = 10;

    /// <summary>`policy test`: the program sees files as they lie on disk.</summary>
    internal const int Ciphertext = 11;

    // 126 and 127, a command that cannot be executed or does not exist: shim/native/start/overlay-exec.c.

    /// <summary>`run`: the command died of a signal: 128 + its number.</summary>
    internal const int Signal = 128;

    /// <summary>For the manual.</summary>
    internal static readonly (string Code, string Meaning)[] Table =
    [
        ("0", "Success."),
        ("1", "A failure that no other code names."),
        ("2", "The command line is wrong."),
        ("3", "Not a volume, or it or its store cannot be used."),
        ("4", "Wrong or unusable key."),
        ("5", "Damage was found in a file. verify: findings. repair: damage, or what was not accepted, remains. scan: something is not sealed. audit verify: findings."),
        ("6", "No agent answers."),
        ("7", "verify, repair, scan, store verify: nothing was found, but not everything could be checked. import, export, rekey: something was left out. shred: the keys are destroyed, but something is left to be done or could not be reached."),
        ("8", "doctor: at least one check failed; warnings do not count."),
        ("9", "keys due: something is due. rekey --status: something is unfinished."),
        ("10", "policy test: the program may not have the file."),
        ("11", "policy test: the program sees ciphertext."),
        ("125", "A program under Overlay: its system calls cannot be intercepted; it was not run."),
        ("126", "run, trace: the command cannot be executed."),
        ("127", "run, trace: there is no such command."),
        ("128+N", "run, trace: the command died of signal N. overlay-ctl itself ended by a signal looks alike to a shell."),
    ];

    internal static int Of(VolumeError error) => error switch
    {
        VolumeError.WrongKey or VolumeError.NoSuchSlot or VolumeError.UnusableKey or VolumeError.SlotNotReady => Key,
        VolumeError.BadOption => Usage,
        VolumeError.LastSlot or VolumeError.LastUnattendedSlot or VolumeError.WouldRollBack => Failed,
        _ => Volume,
    };
}
