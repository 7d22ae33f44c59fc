using Overlay.Crypto;
using Overlay.Interop;
using Overlay.Pages;

namespace Overlay.Engine;

/// <summary>What was changed by mapping goes back into the sealed file.</summary>
internal sealed unsafe partial class FileEngine
{
    /// <summary>Writes back what this process may have changed between two addresses; a failure is logged, and tried again by the agent.</summary>
    private void SealRange(long start, long end)
    {
        foreach (MappingTable.Range range in _mappings.Find(start, end))
        {
            if (!range.IsWritten)
                continue;
            try
            {
                Seal(range.File, range.FileOffset, range.FileOffset + (range.End - range.Start));
            }
            catch (ErrnoException exception)
            {
                range.File.Log.Write($"what was changed by mapping it is not sealed yet: {exception.Message}");
            }
        }
    }

    /// <summary>Writes back the changes that anybody made by mapping. May ask the agent.</summary>
    private static void Seal(OpenFile file, long from, long to)
    {
        while (file.CanWrite)
        {
            PageFile? pages = file.TakePages(out ulong word);
            if (pages is null)
                return;
            try
            {
                if (!pages.IsFilled || !pages.MayBeDirty)
                    return;
                using PageSealing sealing = new(file.File, pages, () => file.LiveWord == word);
                if (sealing.Run(from, to))
                    return;
            }
            finally
            {
                pages.Release();
            }
        }
    }
}
