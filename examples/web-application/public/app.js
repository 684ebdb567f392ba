const output = document.querySelector('output')

document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const body = JSON.stringify({ text: document.querySelector('#text').value })
  // Relative: the page works wherever the API is reached.
  const response = await fetch('api/count', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const answer = await response.json()
  output.textContent = response.ok
    ? `${answer.words} words, ${answer.characters} characters, ${answer.minutes} min to read`
    : answer.error
})
