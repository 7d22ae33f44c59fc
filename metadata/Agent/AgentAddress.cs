using System;
using System.Globalization;
using System.IO;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// Where an agent is to be found: a socket named after the volume, in a directory that is this user's alone to write:
/// <c>$OVERLAY_RUNTIME_DIR</c>, or <c>/run/user/&lt;uid&gt;</c>, or <c>/tmp</c>, and there <c>overlay-&lt;uid&gt;</c>.
/// </summary>
public static class AgentAddress
{
    public const string RuntimeDirectoryVariable = "OVERLAY_RUNTIME_DIR";

    internal const int Private = 0x1C0, Searchable = 0x1C9;    // 0700, 0711

    /// <summary>
    /// The address of the agent that serves this volume to its own user. Makes the directory if need be.
    /// </summary>
    public static string ForVolume(ReadOnlySpan<byte> volumeId) => ForVolume(volumeId, reachableByOthers: false);

    /// <param name="reachableByOthers">For an agent with a root process, whose descendants may become other users:
    /// passes over /run/user, which no one else can search.</param>
    public static string ForVolume(ReadOnlySpan<byte> volumeId, bool reachableByOthers)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(volumeId.Length, 16);
        return InDirectory($"{Convert.ToHexStringLower(volumeId)}.sock", reachableByOthers);
    }

    /// <summary>An address for one launched command, so that any number of them can use one volume.</summary>
    public static string ForRun(int processId) =>
        InDirectory($"run-{processId.ToString(CultureInfo.InvariantCulture)}.sock", reachableByOthers: true);

    private static string InDirectory(string name, bool reachableByOthers)
    {
        string userId = ProcessCalls.EffectiveUserId().ToString(CultureInfo.InvariantCulture);
        string directory = Path.Combine(BaseDirectory(userId, reachableByOthers), $"overlay-{userId}");
        _ = VolumeFiles.TryMakeDirectory(directory);
        CheckDirectory(directory);
        return Path.Combine(directory, name);
    }

    /// <summary>Refuses a directory in which somebody else could put a socket in our place.</summary>
    /// <exception cref="ErrnoException">EPERM: another owner, a symbolic link, or open to others.</exception>
    internal static void CheckDirectory(string directory)
    {
        if (!VolumeFiles.TryStatus(directory, out FileStatus status))
            throw Errno.Failure(Errno.NoEntry, $"{directory} does not exist");
        if (status.Type != FileStatus.Directory)
            throw Errno.Failure(Errno.NotPermitted, $"{directory} is not a directory");
        if (status.UserId != ProcessCalls.EffectiveUserId())
            throw Errno.Failure(Errno.NotPermitted, $"{directory} belongs to another user");
        if (status.Permissions is not (Private or Searchable))
            throw Errno.Failure(Errno.NotPermitted, $"{directory} is open to others; its mode must be 0700");
    }

    private static string BaseDirectory(string userId, bool reachableByOthers)
    {
        if (Environment.GetEnvironmentVariable(RuntimeDirectoryVariable) is { Length: > 0 } chosen)
            return Path.GetFullPath(chosen);
        string userDirectory = $"/run/user/{userId}";
        return !reachableByOthers && VolumeFiles.IsDirectory(userDirectory) ? userDirectory : "/tmp";
    }
}
