using System.IO;
using System.Text;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>Where the agent listens that keeps a volume's pages: it says so in <c>.overlay/keeper</c>.</summary>
public static class KeeperAddress
{
    /// <summary>"" if nobody says so. The agent may be gone.</summary>
    public static string Find(string volumeRoot)
    {
        try
        {
            byte[]? path = VolumeFiles.TryRead(PathIn(volumeRoot), AgentMessage.MaxText);
            return path is null ? "" : Encoding.UTF8.GetString(path);
        }
        catch (VolumeException)
        {
            return ""; // not for this process to read
        }
    }

    /// <summary>
    /// The keeper's other address, in the volume itself: a container reaches it that has a <c>/tmp</c> of its own, in which the address that
    /// <see cref="Find"/> tells is nobody's, or another agent's. Only for the user whose volume it is.
    /// </summary>
    public static string InVolume(string volumeRoot) => $"{volumeRoot}/{VolumePaths.DirectoryName}/{VolumePaths.KeeperSocketName}";

    /// <summary>By the one that holds the keeper's lock.</summary>
    internal static void Write(string volumeRoot, string socketPath)
    {
        // Renamed into place: whoever reads it gets all of it.
        File.WriteAllText(PathIn(volumeRoot) + VolumePaths.UnfinishedSuffix, socketPath);
        VolumeFiles.Rename(PathIn(volumeRoot) + VolumePaths.UnfinishedSuffix, PathIn(volumeRoot));
    }

    private static string PathIn(string volumeRoot) => $"{volumeRoot}/{VolumePaths.DirectoryName}/{VolumePaths.KeeperName}";
}
