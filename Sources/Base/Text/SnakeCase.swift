extension String {
  /// `peakLearningRate` as `peak_learning_rate`: the one place where Swift names become config keys.
  ///
  /// A run of capitals is one word (`finalLR` → `final_lr`, `URLPath` → `url_path`); digits stay with the word before them.
  package var snakeCased: String {
    let letters = Array(self)
    var result = ""
    for (index, letter) in letters.enumerated() {
      guard letter.isUppercase else { result.append(letter); continue }
      let afterWord = index > 0 && letters[index - 1] != "_" && !letters[index - 1].isUppercase
      let startsWord = index > 0 && letters[index - 1].isUppercase && index + 1 < letters.count && letters[index + 1].isLowercase
      if afterWord || startsWord { result.append("_") }
      result += letter.lowercased()
    }
    return result
  }

  /// The one of `names` that the user most likely meant, if any is near: at most a third of the letters may differ, or one
  /// name starts with the other or holds it as a word.
  package func nearest(among names: [String]) -> String? {
    let mine = snakeCased
    let plain = mine.filter { $0 != "_" }
    let ranked = names.map { (name: $0, distance: plain.editDistance(to: $0.filter { $0 != "_" })) }
    if let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(1, plain.count / 3) { return best.name }
    let containing = names.filter { name in
      let whole = name.filter { $0 != "_" }
      return plain.count >= 3 && (whole.contains(plain) || (whole.count >= 3 && plain.contains(whole)))
    }
    return containing.count == 1 ? containing[0] : nil
  }

  /// The number of letters to insert, delete or replace, or of neighbours to swap, to turn one text into the other (the optimal string
  /// alignment distance).
  package func editDistance(to other: String) -> Int {
    let a = Array(self)
    let b = Array(other)
    var older: [Int] = []
    var old = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = Swift.min(old[j] + (a[i] == b[j] ? 0 : 1), row[j] + 1, old[j + 1] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = Swift.min(best, older[j - 1] + 1) }
        row.append(best)
      }
      (older, old) = (old, row)
    }
    return old[b.count]
  }
}
